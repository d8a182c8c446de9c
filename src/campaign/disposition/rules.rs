//! The rules over `endedReason`, in order: the first that matches decides.
//!
//! Drawn up from all 682 values that the provider's specification and client libraries have ever listed. The list
//! grows every few weeks, so it is matched as text; what no rule knows is a class of its own and is never guessed at.

use super::{Class, Verdict};

/// One rule: any of its patterns is enough.
pub(super) struct Rule {
    /// Its name, which stays the same for good.
    pub(super) name: &'static str,
    /// What a reason that it matches says.
    pub(super) verdict: Verdict,
    /// The whole reason.
    pub(super) exact: &'static [&'static str],
    /// How the reason begins.
    pub(super) prefix: &'static [&'static str],
    /// What stands anywhere in the reason.
    pub(super) within: &'static [&'static str],
}

const NONE: Rule = Rule { name: "", verdict: LAST.verdict, exact: &[], prefix: &[], within: &[] };

/// What remains: a new reason, or none.
pub(super) const LAST: Rule =
    Rule { name: "R99", verdict: Verdict::Contact(Class::Unknown), exact: &[], prefix: &[], within: &[] };

/// The table, most specific first.
pub(super) const RULES: &[Rule] = &[
    // slots full
    Rule {
        name: "R01",
        verdict: Verdict::Pool,
        exact: &["call.start.error-subscription-concurrency-limit-reached"],
        ..NONE
    },
    // billing
    Rule {
        name: "R02",
        verdict: Verdict::Account,
        exact: &[
            "call.start.error-subscription-frozen",
            "call.start.error-subscription-insufficient-credits",
            "call.start.error-subscription-upgrade-failed",
            "call.start.error-subscription-wallet-does-not-exist",
        ],
        ..NONE
    },
    // fraud
    Rule { name: "R03", verdict: Verdict::Account, exact: &["call.start.error-fraud-check-failed"], ..NONE },
    // number daily limit
    Rule { name: "R04", verdict: Verdict::Line, exact: &["call.start.error-vapi-number-outbound-daily-limit"], ..NONE },
    // international from vapi number
    Rule {
        name: "R05",
        verdict: Verdict::Contact(Class::Invalid),
        exact: &["call.start.error-vapi-number-international"],
        ..NONE
    },
    // plan feature
    Rule {
        name: "R06",
        verdict: Verdict::Account,
        exact: &["call.start.error-enterprise-feature-not-available-recording-consent", "license-check-failed"],
        ..NONE
    },
    // config
    Rule {
        name: "R07",
        verdict: Verdict::Account,
        exact: &[
            "assistant-not-found",
            "assistant-not-invalid",
            "assistant-not-provided",
            "assistant-not-valid",
            "call-start-error-neither-assistant-nor-server-set",
            "call.start.assistant-version-error-validation",
            "call.start.error-get-assistant",
            "call.start.error-get-phone-number",
            "call.start.error-get-resources-validation",
            "call.start.error-get-transport",
            "call.start.squad-version-error-validation",
            "no-server-available",
            "phone-call-provider-bypass-enabled-but-no-call-received",
        ],
        ..NONE
    },
    // config server url
    Rule { name: "R08", verdict: Verdict::Account, prefix: &["assistant-request-"], ..NONE },
    // config
    Rule { name: "R09", verdict: Verdict::Account, prefix: &["call.in-progress.error-configfault-"], ..NONE },
    // bad contact
    Rule {
        name: "R10",
        verdict: Verdict::Contact(Class::Invalid),
        exact: &[
            "call.start.error-get-customer",
            "sip-outbound-unallocated-number",
            "twilio-reported-customer-misdialed",
        ],
        ..NONE
    },
    // machine
    Rule { name: "R11", verdict: Verdict::Contact(Class::Voicemail), exact: &["voicemail"], ..NONE },
    // rang out
    Rule {
        name: "R12",
        verdict: Verdict::Contact(Class::NoAnswer),
        exact: &[
            "call.in-progress.error-providerfault-outbound-sip-408-request-timeout",
            "call.in-progress.error-providerfault-outbound-sip-480-temporarily-unavailable",
            "customer-did-not-answer",
        ],
        ..NONE
    },
    // busy
    Rule { name: "R13", verdict: Verdict::Contact(Class::Busy), exact: &["customer-busy"], ..NONE },
    // customer hung up
    Rule {
        name: "R14",
        verdict: Verdict::Contact(Class::HungUp),
        exact: &[
            "customer-ended-call",
            "customer-ended-call-after-warm-transfer-attempt",
            "customer-ended-call-before-warm-transfer",
            "customer-ended-call-during-transfer",
        ],
        ..NONE
    },
    // carrier rejected
    Rule {
        name: "R15",
        verdict: Verdict::Contact(Class::Rejected),
        exact: &["call.in-progress.error-providerfault-outbound-sip-403-forbidden", "vonage-rejected"],
        ..NONE
    },
    // trunk auth
    Rule {
        name: "R16",
        verdict: Verdict::Account,
        exact: &["call.in-progress.error-providerfault-outbound-sip-407-proxy-authentication-required"],
        ..NONE
    },
    // by us
    Rule {
        name: "R17",
        verdict: Verdict::Contact(Class::Cancelled),
        exact: &["call-deleted", "manually-canceled", "scheduled-call-deleted"],
        ..NONE
    },
    // assistant ended
    Rule {
        name: "R18",
        verdict: Verdict::Contact(Class::Answered),
        exact: &[
            "assistant-ended-call",
            "assistant-ended-call-after-message-spoken",
            "assistant-ended-call-with-hangup-task",
            "assistant-forwarded-call",
            "assistant-said-end-call-phrase",
            "assistant-said-message-with-end-call-enabled",
        ],
        ..NONE
    },
    // timer
    Rule {
        name: "R19",
        verdict: Verdict::Contact(Class::Answered),
        exact: &["exceeded-max-duration", "silence-timed-out"],
        ..NONE
    },
    // carrier completed
    Rule {
        name: "R20",
        verdict: Verdict::Contact(Class::Answered),
        exact: &[
            "call.in-progress.sip-completed-call",
            "call.in-progress.twilio-completed-call",
            "vonage-completed",
            "vonage-disconnected",
        ],
        ..NONE
    },
    // transfer leg failed
    Rule {
        name: "R21",
        verdict: Verdict::Contact(Class::Answered),
        prefix: &[
            "call.forwarding.",
            "call.in-progress.error-warm-transfer-",
            "call.in-progress.error-transfer-failed",
        ],
        ..NONE
    },
    // hook
    Rule {
        name: "R22",
        verdict: Verdict::Contact(Class::Answered),
        prefix: &["call.ending.hook-executed-", "call.ringing.hook-executed-"],
        ..NONE
    },
    // not outbound
    Rule {
        name: "R23",
        verdict: Verdict::Contact(Class::Unknown),
        exact: &[
            "call.in-progress.error-sip-inbound-call-failed-to-connect",
            "call.ringing.error-sip-inbound-call-failed-to-connect",
            "call.ringing.sip-inbound-caller-hungup-before-call-connect",
            "customer-did-not-give-microphone-permission",
        ],
        ..NONE
    },
    // carrier setup
    Rule {
        name: "R24",
        verdict: Verdict::Contact(Class::Fault),
        exact: &[
            "call.in-progress.error-providerfault-outbound-sip-503-service-unavailable",
            "call.in-progress.error-sip-outbound-call-failed-to-connect",
            "call.in-progress.error-sip-telephony-provider-failed-to-connect-call",
            "sip-gateway-failed-to-connect-call",
            "sip-outbound-carrier-released-call",
            "twilio-failed-to-connect-call",
            "vonage-failed-to-connect-call",
        ],
        ..NONE
    },
    // no audio
    Rule {
        name: "R25",
        verdict: Verdict::Contact(Class::Fault),
        exact: &["call.in-progress.error-assistant-did-not-receive-customer-audio"],
        ..NONE
    },
    // platform
    Rule {
        name: "R26",
        verdict: Verdict::Contact(Class::Fault),
        exact: &[
            "call.start.error-get-org",
            "call.start.error-get-subscription",
            "worker-shutdown",
            "assistant-join-timed-out",
            "assistant-error",
            "database-error",
            "db-error",
            "unknown-error",
            "phone-call-provider-closed-websocket",
        ],
        prefix: &["call.start.error-vapifault-", "vapifault-"],
        ..NONE
    },
    // transport worker
    Rule {
        name: "R27",
        verdict: Verdict::Contact(Class::Fault),
        prefix: &[
            "call.in-progress.error-vapifault-transport-",
            "call.in-progress.error-vapifault-worker-",
            "call.in-progress.error-vapifault-call-started-but",
            "call.in-progress.error-vapifault-chat-pipeline-",
            "call.in-progress.error-vapifault-phone-call-worker-",
            "call.in-progress.error-providerfault-transport-",
            "call.in-progress.error-providerfault-worker-",
            "call.in-progress.error-providerfault-call-started-but",
            "call.in-progress.error-providerfault-chat-pipeline-",
            "call.in-progress.error-providerfault-phone-call-worker-",
        ],
        ..NONE
    },
    // ai provider credential or config
    Rule {
        name: "R28",
        verdict: Verdict::Contact(Class::Config),
        within: &[
            "-400-",
            "-401-",
            "-403-",
            "-429-",
            "unauthorized",
            "incorrect-api-key",
            "invalid-api-key",
            "invalid-credentials",
            "api-key-missing",
            "-auth-failed",
            "invalid-config",
            "rate-limited",
            "exceeded-quota",
            "quota-exceeded",
            "out-of-credits",
            "insufficent-funds",
            "requested-payment",
            "paid-only",
            "-returning-404",
            "voice-not-found",
            "invalid-voice",
            "invalid-emotion",
            "voice-must-be",
            "requested-upgrade",
            "professional-voices",
            "not-fine-tuned",
            "disabled-by-owner",
            "not-allowed-for-free",
            "in-probation",
            "against-their-policy",
            "against-terms",
            "missing-samples",
            "max-character-limit",
            "no-available-model",
            "no-available-llm-model",
            "deepgram-400-",
            "deepgram-403-",
            "deepgram-404-",
            "invalid-schema",
            "word-boost",
            "invalid-json",
        ],
        ..NONE
    },
    // ai pipeline
    Rule {
        name: "R29",
        verdict: Verdict::Contact(Class::Fault),
        prefix: &[
            "pipeline-",
            "call.in-progress.error-vapifault-",
            "call.in-progress.error-providerfault-",
            "call.in-progress.error-pipeline-",
        ],
        ..NONE
    },
];
