//! A server that tests start listens on loopback only; one that does not is ended.

use crate::cloud::until;
use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::process::{Child, Command, Stdio};

/// Looks at what a server and its children listen on, and ends them where it is open to the
/// network.
///
/// # Errors
/// What it listened on.
pub fn only(child: &mut Child) -> Result<(), String> {
    let pids = tree(child.id());
    let open: Vec<String> = listening(&pids)
        .into_iter()
        .filter(|a| !a.ip().to_canonical().is_loopback())
        .map(|a| a.to_string())
        .collect();
    if open.is_empty() {
        return Ok(());
    }
    for pid in pids.iter().filter_map(|p| i32::try_from(*p).ok()) {
        // Gone already is as good.
        let pid = nix::unistd::Pid::from_raw(pid);
        let _gone = nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGKILL);
    }
    drop(child.wait());
    Err(format!(
        "The server {} was ended: it listened on {}, which is open to the network. It must listen \
         on 127.0.0.1 only.",
        child.id(),
        open.join(" and ")
    ))
}

/// A process and all below it.
fn tree(root: u32) -> BTreeSet<u32> {
    let parents: Vec<(u32, u32)> = std::fs::read_dir("/proc")
        .expect("/proc")
        .flatten()
        .filter_map(|e| e.file_name().to_str()?.parse().ok())
        .filter_map(|pid: u32| {
            let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
            let (_, rest) = stat.rsplit_once(") ")?;
            Some((pid, rest.split(' ').nth(1)?.parse().ok()?))
        })
        .collect();
    let mut found = BTreeSet::from([root]);
    loop {
        let more: Vec<u32> = parents
            .iter()
            .filter(|(pid, parent)| found.contains(parent) && !found.contains(pid))
            .map(|(pid, _)| *pid)
            .collect();
        if more.is_empty() {
            return found;
        }
        found.extend(more);
    }
}

/// Where processes wait for connections, and for datagrams of anybody.
fn listening(pids: &BTreeSet<u32>) -> BTreeSet<SocketAddr> {
    let sockets: BTreeSet<String> = pids
        .iter()
        .filter_map(|pid| std::fs::read_dir(format!("/proc/{pid}/fd")).ok())
        .flat_map(|folder| folder.flatten())
        .filter_map(|e| std::fs::read_link(e.path()).ok())
        .filter_map(|to| {
            let inode = to.to_str()?.strip_prefix("socket:[")?.strip_suffix(']')?;
            Some(inode.to_owned())
        })
        .collect();
    // LISTEN, and a datagram socket without a peer (include/net/tcp_states.h).
    [("tcp", "0A"), ("tcp6", "0A"), ("udp", "07"), ("udp6", "07")]
        .into_iter()
        .flat_map(|(table, state)| {
            let text = std::fs::read_to_string(format!("/proc/net/{table}")).unwrap_or_default();
            let rows = text.lines().skip(1).filter_map(|line| {
                let fields: Vec<&str> = line.split_whitespace().collect();
                let ours = *fields.get(3)? == state && sockets.contains(*fields.get(9)?);
                ours.then(|| address(fields[1])).flatten()
            });
            rows.collect::<Vec<_>>()
        })
        .collect()
}

/// `0100007F:1F90`: words of four bytes, each backwards on this machine.
fn address(text: &str) -> Option<SocketAddr> {
    let (ip, port) = text.split_once(':')?;
    let bytes = hex::decode(ip).ok()?;
    let words: Vec<u8> = bytes
        .chunks(4)
        .flat_map(|w| w.iter().rev().copied())
        .collect();
    let ip = match *words {
        [a, b, c, d] => IpAddr::from([a, b, c, d]),
        _ => IpAddr::from(Ipv6Addr::from(<[u8; 16]>::try_from(&*words).ok()?)),
    };
    Some(SocketAddr::new(ip, u16::from_str_radix(port, 16).ok()?))
}

/// Listens in a child of its own, as servers with workers do, until its stdin ends.
fn server(family: &str, at: &str) -> Child {
    let program = format!(
        "import socket, subprocess, sys\n\
         s = socket.socket(socket.{family}, socket.SOCK_STREAM)\n\
         s.bind(('{at}', 0)); s.listen(); s.set_inheritable(True)\n\
         subprocess.run(['cat'], close_fds=False)\n"
    );
    let child = Command::new("python3")
        .args(["-c", &program])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .expect("python3 runs");
    until("it listens, and its child too", || {
        let pids = tree(child.id());
        (pids.len() == 2 && !listening(&pids).is_empty()).then_some(())
    });
    child
}

#[test]
fn a_server_that_is_open_to_the_network_is_ended_with_its_children() {
    for (family, at) in [("AF_INET", "0.0.0.0"), ("AF_INET6", "::")] {
        let mut child = server(family, at);
        let pids = tree(child.id());
        let why = only(&mut child).expect_err("refused");
        assert!(
            why.contains(at) && why.contains("open to the network"),
            "{why}"
        );
        until("nobody listens any more", || {
            listening(&pids).is_empty().then_some(())
        });
        assert!(child.try_wait().is_ok_and(|s| s.is_some()));
    }
}

#[test]
fn a_server_on_loopback_goes_on() {
    for (family, at) in [("AF_INET", "127.0.0.1"), ("AF_INET6", "::1")] {
        let mut child = server(family, at);
        assert_eq!(only(&mut child), Ok(()));
        assert!(child.try_wait().is_ok_and(|s| s.is_none()), "it runs");
        drop(child.stdin.take());
        assert!(child.wait().expect("it ends").success());
    }
}

#[test]
fn addresses_read_as_the_kernel_writes_them() {
    let of = |text| address(text).map(|a| a.to_string()).unwrap_or_default();
    assert_eq!(of("0100007F:1F90"), "127.0.0.1:8080");
    assert_eq!(of("00000000:0035"), "0.0.0.0:53");
    assert_eq!(of("00000000000000000000000001000000:1F90"), "[::1]:8080");
    assert_eq!(of("00000000000000000000000000000000:0050"), "[::]:80");
}
