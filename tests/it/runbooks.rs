//! The runbook of an alert, opened from the alert.

use serde_json::json;

use crate::plain::{Host, SOON};
use crate::support::http::{Reply, Server};

#[tokio::test]
async fn line_mode_reads_the_runbook_of_an_alert_from_a_folder_and_gives_its_address_where_there_is_no_file() {
    let server = Server::start(move |request| {
        let begun = (warroom::clock::wall() - chrono::TimeDelta::minutes(7)).to_rfc3339();
        let alert = |name: &str| {
            json!({"labels": {"alertname": name, "service": "alipay", "severity": "critical"},
                   "annotations": {"summary": name, "runbook_url": format!("https://runbooks.example/node/{name}#mitigation")},
                   "state": "firing", "activeAt": begun, "value": "1e+00"})
        };
        let alerts = [alert("DiskFull"), alert("Unwritten")];
        let data = if request.path == "/api/v1/alerts" { json!({"alerts": alerts}) } else { json!({"groups": []}) };
        Reply::json(json!({"status": "success", "data": data}).to_string())
    })
    .await;
    let url = server.url();
    let played = tokio::task::spawn_blocking(move || {
        let host = Host::new();
        let folder = host.home.path().join("config/warroom");
        std::fs::create_dir_all(folder.join("books/node")).unwrap();
        std::fs::write(folder.join("books/node/diskfull.md"), "# DiskFull\n\n## Mitigation\n\nGrow the volume.\n")
            .unwrap();
        let config = format!("[prometheus]\nurl = '{url}'\nevery = '1s'\n[playbooks]\nrunbooks = ['books']\n");
        std::fs::write(folder.join("config.toml"), config).unwrap();
        host.declare();
        let mut dana = host.start(&["open", "INC-1", "--plain"]);
        dana.ready();
        dana.wait_for("Unwritten", SOON);
        dana.type_in(":runbook DiskFull\n");
        dana.wait_for("## Mitigation", SOON);
        dana.wait_for("Grow the volume.", SOON);
        dana.type_in(":runbook Unwritten\n:runbook Nobody\n");
        dana.wait_for("no file unwritten.md is in the folders of runbooks", SOON);
        dana.wait_for("https://runbooks.example/node/Unwritten#mitigation", SOON);
        dana.wait_for("there is no alert `Nobody`", SOON);
        dana.end();
    });
    played.await.unwrap();
}
