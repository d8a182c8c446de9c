"""PostgreSQL for the scenarios: a server of their own, a proxy that cuts connections, and a pooler in between."""

import os
import random
import shutil
import socket
import subprocess
import tempfile
import threading
import time
from pathlib import Path

NOBODY = ["runuser", "-u", "nobody", "--"]


def free_port():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


def run(*command, **more):
    """As an ordinary user: these programs refuse root."""
    command = [*(NOBODY if os.getuid() == 0 else []), *map(str, command)]
    done = subprocess.run(command, cwd="/tmp", capture_output=True, text=True, timeout=60, **more)
    if done.returncode:
        raise RuntimeError(f"{command}: {done.stderr}")
    return done.stdout.strip()


def folder():
    """In memory where there is room."""
    memory = Path("/dev/shm")
    roomy = memory.is_dir() and shutil.disk_usage(memory).free > 2 << 30
    made = Path(tempfile.mkdtemp(prefix="dialer-database-", dir=memory if roomy else "/tmp"))
    if os.getuid() == 0:
        shutil.chown(made, "nobody")
    return made


class Server:
    """A server that may be killed."""

    def __init__(self):
        self.folder, self.port, self.lock = folder(), free_port(), threading.Lock()
        self.bin = max(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name))
        self.data, self.log = self.folder / "data", self.folder / "log"
        run(self.bin / "initdb", "-D", self.data, "-A", "trust", "-U", "dialer")
        self.start()

    def url(self, name, port=None):
        return f"postgres://dialer@127.0.0.1:{port or self.port}/{name}"

    def database(self, name):
        self.ask(f"CREATE DATABASE {name}")
        return self.url(name)

    def ask(self, sql, name="postgres"):
        return run(self.bin / "psql", "-XAtq", "-v", "ON_ERROR_STOP=1", self.url(name), "-c", sql)

    def stop(self):
        run(self.bin / "pg_ctl", "-D", self.data, "-w", "-s", "-m", "immediate", "stop")

    def start(self):
        options = f"-p {self.port} -k {self.folder} -c listen_addresses=127.0.0.1 -c max_connections=300"
        run(self.bin / "pg_ctl", "-D", self.data, "-l", self.log, "-o", options, "-w", "-s", "start",
            env={"PATH": os.environ["PATH"], "LC_ALL": "C"})

    def crash(self):
        """As if it had been killed: it comes back from its log."""
        with self.lock:
            run(self.bin / "pg_ctl", "-D", self.data, "-l", self.log, "-w", "-s", "-m", "immediate", "restart")

    def said(self, words):
        return self.log.read_text(errors="replace").count(words)

    def close(self):
        try:
            if (self.data / "postmaster.pid").exists():
                self.stop()
        finally:
            shutil.rmtree(self.folder, ignore_errors=True)


class Pooler:
    """PgBouncer in transaction mode in front of a server."""

    def __init__(self, server):
        self.folder, self.port = folder(), free_port()
        settings = self.folder / "pgbouncer.ini"
        settings.write_text(
            f"[databases]\n* = host=127.0.0.1 port={server.port}\n[pgbouncer]\nlisten_addr = 127.0.0.1\n"
            f"listen_port = {self.port}\nunix_socket_dir =\nauth_type = trust\nauth_file = {self.folder}/users\n"
            f"pool_mode = transaction\ndefault_pool_size = 5\nlogfile = {self.folder}/log\n"
            f"pidfile = {self.folder}/pid\n")
        (self.folder / "users").write_text('"dialer" ""\n')
        run("pgbouncer", "-d", settings)

    @staticmethod
    def is_there():
        return shutil.which("pgbouncer") is not None

    def close(self):
        run("kill", (self.folder / "pid").read_text().strip())
        shutil.rmtree(self.folder, ignore_errors=True)


class Proxy:
    """The way of one machine to a server. It can be cut at a statement, and it can fall silent."""

    def __init__(self, port):
        self.to = port
        self.plans, self.cuts, self.pairs = [], 0, set()
        self.often, self.dice = 0.0, random.Random(port)
        self.passes = threading.Event()
        self.passes.set()
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def cut(self, words, answered):
        """The next connection that sends these words breaks: before they reach the server, or once it has answered."""
        self.plans.append((words, answered))

    def accept(self):
        while True:
            try:
                near, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(near,), daemon=True).start()

    def serve(self, near):
        try:
            self.passes.wait()
            far = socket.create_connection(("127.0.0.1", self.to), 5)
            far.settimeout(None)
        except OSError:
            near.close()
            return
        pair = (near, far, threading.Event())
        self.pairs.add(pair)
        for way in (self.forth, self.back):
            threading.Thread(target=self.carry, args=(way, pair), daemon=True).start()

    def forth(self, pair):
        near, far, answered = pair
        for chunk in self.chunks(near):
            plan = next((plan for plan in self.plans if plan[0] in chunk), None)
            if plan:
                self.plans.remove(plan)
            elif self.dice.random() < self.often:
                plan = (chunk, self.dice.random() < 0.5)
            if plan:
                self.cuts += 1
                if not plan[1]:
                    return
                answered.set()
            far.sendall(chunk)

    def back(self, pair):
        near, far, answered = pair
        for chunk in self.chunks(far):
            if answered.is_set():
                return
            near.sendall(chunk)

    def chunks(self, end):
        while chunk := end.recv(1 << 16):
            self.passes.wait()
            yield chunk

    def carry(self, way, pair):
        try:
            way(pair)
        except OSError:
            pass
        finally:
            self.part(pair)

    def part(self, pair):
        self.pairs.discard(pair)
        for end in pair[:2]:
            for close in (lambda: end.shutdown(socket.SHUT_RDWR), end.close):
                try:
                    close()
                except OSError:
                    pass

    def close(self):
        self.passes.set()
        self.listener.close()
        for pair in list(self.pairs):
            self.part(pair)


