#!/usr/bin/env bash
# The provider's own clients against `dialer sandbox`: what they parse, the sandbox writes as the provider does.
# Needs python3 and npm, and their registries. Usage: tests/sdk/check.sh [path to the dialer binary]
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
dialer=${1:-$here/../../target/release/dialer}
place=$(mktemp -d)
sandbox=
trap '[ -z "$sandbox" ] || kill "$sandbox" 2>/dev/null || true; rm -rf "$place"' EXIT

python3 -m venv "$place/python"
"$place/python/bin/pip" install --quiet --disable-pip-version-check 'vapi_server_sdk==3.0.0'
(cd "$place" && npm install --silent --no-audit --no-fund --prefix "$place" '@vapi-ai/server-sdk@2.0.1' 'typescript@5.9')

"$dialer" sandbox --listen 127.0.0.1:0 --slots 4 --speed 60 --inbound-per-hour 20 --key right >"$place/env" &
sandbox=$!
for _ in $(seq 100); do
    grep -q VAPI_PHONE_NUMBER_ID "$place/env" && break
    sleep 0.1
done
# shellcheck source=/dev/null
. "$place/env"
export VAPI_API_KEY=right

"$place/python/bin/python" "$here/check.py"
cp "$here/check.mjs" "$place/check.mjs"
node "$place/check.mjs" "$place/typed.ts"
(cd "$place" && npx --no-install tsc --noEmit --strict --skipLibCheck --module nodenext --moduleResolution nodenext typed.ts)
echo "sdk checks passed"
