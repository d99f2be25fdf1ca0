//! What a closed record did not send is named wherever somebody looks for it.

use std::os::unix::fs::PermissionsExt as _;

use crate::plain::Host;
use crate::support::http::refused_port;
use crate::support::until;

#[tokio::test]
async fn what_did_not_go_out_before_the_record_was_closed_is_named_by_whoever_leaves_lists_and_shows_it() {
    let nobody = refused_port().await;
    tokio::task::spawn_blocking(move || {
        let host = Host::new();
        let folder = host.home.path().join("config/warroom");
        std::fs::create_dir_all(&folder).unwrap();
        let secret = host.home.path().join("secret");
        std::fs::write(&secret, "s3cret-of-the-webhook\n").unwrap();
        std::fs::set_permissions(&secret, std::fs::Permissions::from_mode(0o600)).unwrap();
        let config =
            format!("[webhook]\nurl = \"http://127.0.0.1:{nobody}\"\nbearer-file = \"{}\"\n", secret.display());
        std::fs::write(folder.join("config.toml"), config).unwrap();
        host.declare();
        let left = "webhook: open the incident";
        let (_, said) =
            host.script(&["open", "INC-1", "--plain"], ":take ic\n:ack\n:false-alarm a test of the alarm\n:quit\n");
        assert!(said.contains(left), "whoever leaves reads it: {said}");
        // What nobody tried yet may be on its way with another console, for a moment.
        until("`show` names it", || {
            let (_, shown) = host.run(&["show", "INC-1"]);
            shown.lines().any(|line| line.starts_with("not sent") && line.contains(left))
        });
        let (_, shown) = host.run(&["show", "INC-1", "--json"]);
        assert!(shown.contains(left), "{shown}");
        let (_, listed) = host.run(&["list"]);
        assert!(listed.contains("INC-1 is closed, and not all has gone out: ") && listed.contains(left), "{listed}");
        let (_, listed) = host.run(&["list", "--all"]);
        assert!(listed.contains("not sent: ") && listed.contains(left), "{listed}");
        for all in [&["list", "--json"][..], &["list", "--all", "--json"]] {
            let (_, listed) = host.run(all);
            let said: serde_json::Value = serde_json::from_str(&listed).unwrap();
            assert!(said.to_string().contains(left), "{all:?}: {said}");
        }
    })
    .await
    .unwrap();
}
