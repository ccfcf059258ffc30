//! The kernel's answers, from the real one and from a folder in its form.

use std::fmt::Write as _;
use std::fs;

use super::*;

fn ip(last: u8) -> Ipv4Addr {
    Ipv4Addr::new(10, 0, 0, last)
}

#[test]
fn an_address_is_inside_or_another_is_or_nothing_is_known() {
    let seen = |all: &[u8]| Some(all.iter().map(|last| ip(*last)).collect());
    assert_eq!(judge(seen(&[5]), ip(5)), Inside::Yes);
    assert_eq!(judge(seen(&[5, 6]), ip(5)), Inside::Yes);
    assert_eq!(
        judge(seen(&[6]), ip(5)),
        Inside::No([ip(6)].into_iter().collect())
    );
    assert_eq!(judge(seen(&[]), ip(5)), Inside::Unseen);
    assert_eq!(judge(None, ip(5)), Inside::Unseen);
}

/// A process in a folder of the form of `/proc`.
fn process(root: &Path, pid: u32, group: &str, addresses: &[Ipv4Addr]) {
    let dir = root.join(pid.to_string());
    fs::create_dir_all(dir.join("net")).unwrap();
    fs::write(dir.join("cgroup"), format!("0::{group}\n")).unwrap();
    let mut text = "Local:\n".to_owned();
    for address in addresses {
        let _ = write!(text, "     |-- {address}\n        /32 host LOCAL\n");
    }
    fs::write(dir.join("net/fib_trie"), text).unwrap();
}

#[test]
fn a_pods_processes_are_told_by_their_control_group() {
    let root = std::env::temp_dir().join(format!("eipd-proc-{:x}", fastrand::u64(..)));
    let pod = "0b6f7a3c-1111-4222-8333-444455556666";
    process(&root, 10, "/init.scope", &[ip(1)]);
    process(
        &root,
        11,
        &format!("/../kubepods/burstable/pod{pod}/abc"),
        &[ip(5)],
    );
    let systemd = pod.replace('-', "_");
    let group = format!("/kubepods.slice/kubepods-pod{systemd}.slice/cri-containerd-x.scope");
    process(&root, 12, &group, &[ip(6)]);
    process(&root, 13, "/kubepods/pod0b6f7a3c-other/abc", &[ip(7)]);
    let linux = Linux { proc: root.clone() };
    let seen = linux.of_pod(&Uid::new(pod));
    let nobody = linux.of_pod(&Uid::new("another"));
    fs::remove_dir_all(&root).unwrap();
    assert_eq!(seen, Some([ip(5), ip(6)].into_iter().collect()));
    assert_eq!(nobody, None);
}

#[test]
fn the_real_kernel_answers() {
    let kernel = Linux::shared();
    let loopback = |ip: &Ipv4Addr| ip.is_loopback();
    let links = kernel.links();
    assert!(!links.iter().any(|it| it.addresses.iter().any(loopback)));
    assert_eq!(kernel.of_pod(&Uid::new("no-such-pod")), None);
}
