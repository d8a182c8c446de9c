//! `dialer sandbox` as it is typed.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

/// A sandbox that does not outlive its test.
struct Served(Child);

impl Drop for Served {
    fn drop(&mut self) {
        // It may have ended by itself, as it should.
        let _ended = self.0.kill();
        let _reaped = self.0.wait();
    }
}

#[tokio::test]
async fn it_says_where_it_is_and_ends_with_ctrl_c() {
    let mut command = Command::new(env!("CARGO_BIN_EXE_dialer"));
    command.args(["sandbox", "--listen", "127.0.0.1:0", "--slots", "7"]).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut served = Served(command.spawn().unwrap());
    let mut lines = BufReader::new(served.0.stdout.take().unwrap()).lines();
    let mut said = Vec::new();
    while said.len() < 4 {
        said.push(lines.next().unwrap().unwrap());
    }
    let told = |name: &str| said.iter().find_map(|line| line.strip_prefix(&format!("export {name}="))).unwrap();
    assert!(told("VAPI_BASE_URL").starts_with("http://127.0.0.1:"));
    let _installed = rustls::crypto::ring::default_provider().install_default();
    let client = reqwest::Client::builder().no_proxy().user_agent("test/1").build().unwrap();
    for (route, id) in [("assistant", told("VAPI_ASSISTANT_ID")), ("phone-number", told("VAPI_PHONE_NUMBER_ID"))] {
        let url = format!("{}/{route}/{id}", told("VAPI_BASE_URL"));
        assert_eq!(client.get(url).bearer_auth(told("VAPI_API_KEY")).send().await.unwrap().status(), 200);
    }
    let interrupted = Command::new("kill").args(["-INT", &served.0.id().to_string()]).status().unwrap();
    assert!(interrupted.success());
    assert_eq!(served.0.wait().unwrap().code(), Some(0));
}
