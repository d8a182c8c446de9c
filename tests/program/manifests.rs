//! The Kubernetes `CronJob` and the Compose file of docs/several-machines.md: they are YAML, their fields are ones that are
//! known there, what they name is there, and the program takes their commands with what their environments give it.

use std::path::Path;
use std::process::Command;

use yaml_rust2::{Yaml, YamlLoader};

/// Fields of a Kubernetes object, by the path to where they may stand
/// (<https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/cron-job-v1/>).
const KUBERNETES: [(&str, &[&str]); 12] = [
    ("", &["apiVersion", "kind", "metadata", "spec"]),
    ("metadata", &["name", "namespace", "labels", "annotations"]),
    ("spec", &["schedule", "timeZone", "concurrencyPolicy", "startingDeadlineSeconds", "suspend", "jobTemplate"]),
    ("jobTemplate", &["metadata", "spec"]),
    ("jobTemplate.spec", &["backoffLimit", "activeDeadlineSeconds", "template", "ttlSecondsAfterFinished"]),
    ("template", &["metadata", "spec"]),
    ("template.spec", &["restartPolicy", "containers", "volumes", "terminationGracePeriodSeconds"]),
    ("containers", &["name", "image", "command", "args", "env", "volumeMounts", "workingDir", "resources"]),
    ("env", &["name", "value", "valueFrom"]),
    ("secretKeyRef", &["name", "key", "optional"]),
    ("volumeMounts", &["name", "mountPath", "readOnly", "subPath"]),
    ("volumes", &["name", "configMap", "secret", "emptyDir", "persistentVolumeClaim"]),
];
/// The same of a service of a Compose file (<https://docs.docker.com/reference/compose-file/services/>).
const SERVICE: [&str; 9] =
    ["image", "command", "environment", "volumes", "depends_on", "deploy", "restart", "stop_grace_period", "user"];

/// The document of the page that has this at its top.
fn document(key: &str) -> Yaml {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/several-machines.md");
    let page = std::fs::read_to_string(page).unwrap();
    let blocks = page.split("```yaml\n").skip(1).map(|block| block.split("```").next().unwrap());
    let mut documents = blocks.flat_map(|block| YamlLoader::load_from_str(block).unwrap());
    documents.find(|document| !document[key].is_badvalue()).unwrap_or_else(|| panic!("no document has {key}"))
}

fn text(of: &Yaml) -> &str {
    of.as_str().unwrap_or_else(|| panic!("no text: {of:?}"))
}

fn texts(of: &Yaml) -> Vec<&str> {
    of.as_vec().unwrap_or_else(|| panic!("no list: {of:?}")).iter().map(text).collect()
}

fn keys(of: &Yaml) -> Vec<&str> {
    of.as_hash().unwrap_or_else(|| panic!("no fields: {of:?}")).keys().map(text).collect()
}

fn known(place: &str, of: &Yaml) {
    let (_, fields) = KUBERNETES.iter().find(|(known, _)| *known == place).unwrap();
    for key in keys(of) {
        assert!(fields.contains(&key), "{place} has no field {key}");
    }
}

/// The program takes the command, and lacks nothing of what it needs to call: it ends because nobody is there to answer.
fn runs(command: &[&str], environment: &[&str]) {
    let folder = tempfile::tempdir().unwrap();
    let list = concat!(env!("CARGO_MANIFEST_DIR"), "/sample-leads/clinic.csv");
    let mut process = Command::new(env!("CARGO_BIN_EXE_dialer"));
    process.env_clear().current_dir(folder.path()).env("VAPI_BASE_URL", "http://127.0.0.1:9");
    process.args(command.iter().map(|word| if word.starts_with("/lists/") { list } else { word }));
    process.envs(environment.iter().map(|name| (name, name)));
    let output = process.env("DIALER_STATE", folder.path().join("state")).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(environment.contains(&"DIALER_STATE") && said.contains("nothing listens there"), "{said}");
}

#[test]
fn the_cron_job_is_one_that_kubernetes_and_the_program_take() {
    let job = document("apiVersion");
    assert_eq!((text(&job["apiVersion"]), text(&job["kind"])), ("batch/v1", "CronJob"));
    let spec = &job["spec"];
    let (template, pod) = (&spec["jobTemplate"], &spec["jobTemplate"]["spec"]["template"]["spec"]);
    known("", &job);
    known("metadata", &job["metadata"]);
    known("spec", spec);
    known("jobTemplate", template);
    known("jobTemplate.spec", &template["spec"]);
    known("template", &template["spec"]["template"]);
    known("template.spec", pod);
    assert!(!text(&job["metadata"]["name"]).is_empty());
    assert_eq!(text(&spec["schedule"]).split(' ').count(), 5);
    assert!(["Allow", "Forbid", "Replace"].contains(&text(&spec["concurrencyPolicy"])));
    assert!(["Never", "OnFailure"].contains(&text(&pod["restartPolicy"])));
    let volumes = pod["volumes"].as_vec().unwrap();
    for volume in volumes {
        known("volumes", volume);
    }
    let volumes: Vec<_> = volumes.iter().map(|volume| text(&volume["name"])).collect();
    for container in pod["containers"].as_vec().unwrap() {
        known("containers", container);
        for mount in container["volumeMounts"].as_vec().unwrap() {
            known("volumeMounts", mount);
            assert!(volumes.contains(&text(&mount["name"])) && text(&mount["mountPath"]).starts_with('/'));
        }
        let environment = container["env"].as_vec().unwrap();
        for variable in environment {
            known("env", variable);
            let secret = &variable["valueFrom"]["secretKeyRef"];
            if secret.is_badvalue() {
                text(&variable["value"]);
            } else {
                known("secretKeyRef", secret);
            }
        }
        let environment: Vec<_> = environment.iter().map(|variable| text(&variable["name"])).collect();
        runs(&texts(&container["args"]), &environment);
    }
}

#[test]
fn the_compose_file_is_one_that_compose_and_the_program_take() {
    let file = document("services");
    let (services, volumes) = (keys(&file["services"]), keys(&file["volumes"]));
    for key in keys(&file) {
        assert!(["services", "volumes"].contains(&key), "{key}");
    }
    for name in &services {
        let service = &file["services"][*name];
        for key in keys(service) {
            assert!(SERVICE.contains(&key), "a service has no field {key}");
        }
        assert!(!text(&service["image"]).is_empty());
        for volume in texts(&service["volumes"]) {
            let (from, to) = volume.split_once(':').unwrap();
            assert!(to.starts_with('/') && (from.starts_with("./") || volumes.contains(&from)), "{volume}");
        }
        if service["command"].is_badvalue() {
            continue;
        }
        assert!(texts(&service["depends_on"]).iter().all(|needed| services.contains(needed)));
        assert!(service["deploy"]["replicas"].as_i64() > Some(1), "two machines' worth");
        runs(&texts(&service["command"]), &keys(&service["environment"]));
    }
}
