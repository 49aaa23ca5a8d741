//! Where webhooks may go: the operator's list, and never a private address behind a name.

use crate::platform::Fault;
use reqwest::Url;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// Characters of an address.
pub const MAX_URL: usize = 300;

/// The address, when it is one of those the operator allows (`WANGGE_WEBHOOK_TARGETS`); else the refusal.
pub fn allowed(url: &str, targets: &[String]) -> Result<Url, Fault> {
    let url = Url::parse(url.trim()).map_err(|_| Fault::invalid("url", "webhook_url_unreadable"))?;
    if url.as_str().len() > MAX_URL
        || !url.username().is_empty()
        || url.password().is_some()
        || url.fragment().is_some()
    {
        return Err(Fault::invalid("url", "webhook_url_unreadable"));
    }
    let named = |target: &String| {
        let whole = if target.contains("://") {
            target.clone()
        } else {
            format!("https://{target}")
        };
        Url::parse(&whole).is_ok_and(|target| target.origin() == url.origin())
    };
    if matches!(url.scheme(), "https" | "http") && targets.iter().any(named) {
        Ok(url)
    } else {
        Err(Fault::invalid("url", "webhook_target_not_allowed"))
    }
}

/// Looks names up and leaves out what is not a public address: a name in the list must not lead into the house, now or later.
pub struct PublicOnly;

impl Resolve for PublicOnly {
    fn resolve(&self, name: Name) -> Resolving {
        let name = name.as_str().to_owned();
        Box::pin(async move {
            let found: Vec<SocketAddr> = tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            let public: Vec<SocketAddr> = found.into_iter().filter(|one| is_public(one.ip())).collect();
            if public.is_empty() {
                return Err(std::io::Error::other(PRIVATE).into());
            }
            Ok(Box::new(public.into_iter()) as Addrs)
        })
    }
}

/// What the error of a refused name says.
pub const PRIVATE: &str = "the name leads to no public address";

fn is_public(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => is_public_v4(ip),
        IpAddr::V6(ip) => match (ip.to_ipv4_mapped(), ip.segments()) {
            (Some(inside), _) => is_public_v4(inside),
            // 64:ff9b::/96 and 2002::/16 carry an IPv4 address.
            (None, [0x64, 0xff9b, 0, 0, 0, 0, a, b]) => is_public_v4(joined(a, b)),
            (None, [0x2002, a, b, ..]) => is_public_v4(joined(a, b)),
            (None, _) => is_public_v6(ip),
        },
    }
}

fn joined(a: u16, b: u16) -> Ipv4Addr {
    Ipv4Addr::from(u32::from(a) << 16 | u32::from(b))
}

/// IANA's registry of special-purpose addresses, the ones that are not reached over the internet.
fn is_public_v4(ip: Ipv4Addr) -> bool {
    let [a, b, c, _] = ip.octets();
    let special = ip.is_private()
        || ip.is_loopback()
        || ip.is_link_local()
        || ip.is_unspecified()
        || ip.is_multicast()
        || ip.is_documentation()
        || a == 0
        || a >= 240
        || (a == 100 && (64..128).contains(&b))
        || (a == 192 && b == 0 && c == 0)
        || (a == 198 && (18..20).contains(&b));
    !special
}

fn is_public_v6(ip: Ipv6Addr) -> bool {
    // Only 2000::/3 is given out; within it 2001::/23 and the documentation range are not.
    let [a, b, ..] = ip.segments();
    (0x2000..0x4000).contains(&a) && !(a == 0x2001 && (b < 0x200 || b == 0xdb8)) && a != 0x3fff
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn refusal(url: &str, targets: &[String]) -> &'static str {
        allowed(url, targets).unwrap_err().code()
    }

    #[test]
    fn only_what_the_operator_listed_is_allowed() {
        let targets = [
            "hooks.example.cn".to_owned(),
            "hooks.example.cn:8443".into(),
            "http://10.1.2.3:8080".into(),
        ];
        for good in [
            "https://hooks.example.cn/a?b=c",
            "https://hooks.example.cn:8443/",
            "http://10.1.2.3:8080/x",
            " https://HOOKS.example.cn/ ",
        ] {
            assert!(allowed(good, &targets).is_ok(), "{good}");
        }
        for bad in [
            "http://hooks.example.cn/",
            "https://hooks.example.cn:9/",
            "https://hooks.example.cn.evil.cn/",
            "https://evil.cn/?hooks.example.cn",
            "http://10.1.2.3/",
            "https://10.1.2.3:8080/",
            "http://127.0.0.1:8080/",
            "file:///etc/passwd",
            "gopher://hooks.example.cn/",
        ] {
            assert_eq!(refusal(bad, &targets), "webhook_target_not_allowed", "{bad}");
        }
        for bad in [
            "",
            "hooks",
            "https://user:word@hooks.example.cn/",
            "https://hooks.example.cn/#a",
        ] {
            assert_eq!(refusal(bad, &targets), "webhook_url_unreadable", "{bad}");
        }
        assert_eq!(refusal("https://hooks.example.cn/", &[]), "webhook_target_not_allowed");
    }

    #[test]
    fn addresses_of_the_house_are_not_public() {
        let private = "0.0.0.0 10.0.0.1 100.64.0.1 127.0.0.1 169.254.169.254 172.16.0.1 172.31.255.255 192.0.0.8 192.168.1.1 198.18.0.1 224.0.0.1 \
            240.0.0.1 255.255.255.255 :: ::1 fe80::1 fc00::1 fd12::1 ff02::1 ::ffff:127.0.0.1 ::ffff:10.0.0.1 64:ff9b::7f00:1 2002:7f00:1:: \
            2001:db8::1 2001::1";
        for ip in private.split_whitespace() {
            assert!(!is_public(ip.parse().unwrap()), "{ip}");
        }
        for ip in [
            "1.1.1.1",
            "114.114.114.114",
            "172.32.0.1",
            "2400:3200::1",
            "64:ff9b::101:101",
        ] {
            assert!(is_public(ip.parse().unwrap()), "{ip}");
        }
    }
}
