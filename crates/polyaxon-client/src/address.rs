//! The one rule for addresses that a server may send requests to on behalf of somebody else.
//!
//! Whoever submits an operation chooses its addresses, and a server often sees networks that its users do not: other
//! services of its machine, its cluster, the metadata of its cloud. All of them are refused unless they were allowed.
//! The rule is pure; [`crate::outgoing`] obeys it. Commands that run as the user do not need it.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use url::{Host, Url};

/// Why an address is not spoken to.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    #[error("`{0}` is not a web address, expected http:// or https://")]
    Scheme(String),
    #[error("the address has no host")]
    NoHost,
    #[error("the address contains a user name or a password; send credentials in another way")]
    Credentials,
    #[error("the host `{0}` belongs to the machine or the network of this server, which does not send requests there")]
    Name(String),
    #[error("{0} is {1}, and this server does not send requests there")]
    Address(IpAddr, &'static str),
}

/// What is allowed although the rule forbids it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Allowed {
    pub networks: Vec<Network>,
    /// Host names, in lower case. Whatever they resolve to is allowed too.
    pub hosts: Vec<String>,
}

/// All addresses with the same first bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network {
    address: IpAddr,
    bits: u8,
}

/// A text that is neither a network nor a host name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is neither a network such as 10.0.0.0/8 nor a host name")]
pub struct InvalidAllowance(pub String);

impl Allowed {
    /// Reads networks, addresses and host names.
    pub fn read<'a>(texts: impl IntoIterator<Item = &'a str>) -> Result<Allowed, InvalidAllowance> {
        let mut allowed = Allowed::default();
        for text in texts {
            let invalid = || InvalidAllowance(text.to_owned());
            if let Ok(network) = text.parse() {
                allowed.networks.push(network);
            } else {
                match Host::parse(text).map_err(|_| invalid())? {
                    Host::Domain(name) if !text.contains('/') => allowed.hosts.push(plain(&name)),
                    _ => return Err(invalid()),
                }
            }
        }
        Ok(allowed)
    }

    fn has_address(&self, address: IpAddr) -> bool {
        self.networks.iter().any(|network| network.contains(address))
    }

    /// Whether a host may be spoken to whatever its name resolves to.
    pub fn has_host(&self, name: &str) -> bool {
        self.hosts.contains(&plain(name))
    }
}

impl FromStr for Network {
    type Err = InvalidAllowance;

    fn from_str(text: &str) -> Result<Network, InvalidAllowance> {
        let invalid = || InvalidAllowance(text.to_owned());
        let (address, bits) = match text.split_once('/') {
            Some((address, bits)) => (address, Some(bits.parse::<u8>().map_err(|_| invalid())?)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().map_err(|_| invalid())?;
        let most = if address.is_ipv4() { 32 } else { 128 };
        let bits = bits.unwrap_or(most);
        if bits > most { Err(invalid()) } else { Ok(Network { address, bits }) }
    }
}

impl Network {
    fn contains(&self, other: IpAddr) -> bool {
        match (self.address, other) {
            (IpAddr::V4(own), IpAddr::V4(other)) => {
                let mask = u32::MAX.checked_shl(32 - u32::from(self.bits)).unwrap_or(0);
                own.to_bits() & mask == other.to_bits() & mask
            }
            (IpAddr::V6(own), IpAddr::V6(other)) => {
                let mask = u128::MAX.checked_shl(128 - u32::from(self.bits)).unwrap_or(0);
                own.to_bits() & mask == other.to_bits() & mask
            }
            _ => false,
        }
    }
}

/// Checks what can be said of an address before its name is resolved. [`Url`] has already turned every spelling of an
/// IPv4 address (`0x7f.1`, `2130706433`, full-width digits) into the address itself.
pub fn check_url(url: &Url, allowed: &Allowed) -> Result<(), Refusal> {
    if !matches!(url.scheme(), "http" | "https") {
        return Err(Refusal::Scheme(url.scheme().to_owned()));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(Refusal::Credentials);
    }
    match url.host() {
        None => Err(Refusal::NoHost),
        Some(Host::Ipv4(address)) => check_address(address.into(), allowed),
        Some(Host::Ipv6(address)) => check_address(address.into(), allowed),
        Some(Host::Domain(name)) => check_name(name, allowed),
    }
}

/// Names that mean this machine or its surroundings, whatever they resolve to.
fn check_name(name: &str, allowed: &Allowed) -> Result<(), Refusal> {
    let plain = plain(name);
    let is_inside = !plain.contains('.')
        || ["localhost", "local", "internal", "svc"].iter().any(|domain| plain.ends_with(&format!(".{domain}")));
    if is_inside && !allowed.has_host(&plain) { Err(Refusal::Name(name.to_owned())) } else { Ok(()) }
}

/// Checks an address that a name resolved to, or that was given itself.
pub fn check_address(address: IpAddr, allowed: &Allowed) -> Result<(), Refusal> {
    let kind = match address {
        IpAddr::V4(address) => kind_of_v4(address),
        IpAddr::V6(address) => kind_of_v6(address),
    };
    match kind {
        Some(kind) if !allowed.has_address(address) && !allowed.has_address(address.to_canonical()) => {
            Err(Refusal::Address(address, kind))
        }
        _ => Ok(()),
    }
}

/// What is special about an address; nothing for those of the public internet.
fn kind_of_v4(address: Ipv4Addr) -> Option<&'static str> {
    let kind = match address.octets() {
        [0, ..] => "an unspecified address",
        [127, ..] => "a loopback address",
        [10, ..] | [172, 16..=31, ..] | [192, 168, ..] => "a private address",
        [100, 64..=127, ..] => "an address of a carrier's network",
        [169, 254, ..] => "a link-local address",
        [192, 0, 0 | 2, _] | [198, 18 | 19, ..] | [198, 51, 100, _] | [203, 0, 113, _] | [192, 88, 99, _] => {
            "a reserved address"
        }
        [224..=239, ..] => "a multicast address",
        [240..=255, ..] => "a reserved address",
        _ => return None,
    };
    Some(kind)
}

fn kind_of_v6(address: Ipv6Addr) -> Option<&'static str> {
    let embedded = |high: u16, low: u16| {
        let [a, b] = high.to_be_bytes();
        let [c, d] = low.to_be_bytes();
        kind_of_v4(Ipv4Addr::new(a, b, c, d))
    };
    match address.segments() {
        [0, 0, 0, 0, 0, 0, 0, 0] => Some("an unspecified address"),
        [0, 0, 0, 0, 0, 0, 0, 1] => Some("a loopback address"),
        // IPv4 in IPv6: mapped, compatible, translated (NAT64), 6to4. What it leads to counts.
        [0, 0, 0, 0, 0, 0 | 0xffff, high, low] | [0, 0, 0, 0, 0xffff, 0, high, low] => embedded(high, low),
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] => embedded(high, low),
        [0x2002, high, low, ..] => embedded(high, low),
        [0x64, 0xff9b, 1, ..] => Some("a private address"),
        // Teredo hides an address of IPv4, benchmarks and documentation are nobody's.
        [0x2001, 0..=0x1ff | 0xdb8, ..] | [0x3fff, 0..=0xfff, ..] | [0x100, 0, 0, 0, ..] => Some("a reserved address"),
        [0xfc00..=0xfdff, ..] => Some("a private address"),
        [0xfe80..=0xfebf, ..] => Some("a link-local address"),
        [0xfec0..=0xfeff, ..] => Some("a private address"),
        [0xff00..=0xffff, ..] => Some("a multicast address"),
        _ => None,
    }
}

fn plain(name: &str) -> String {
    name.trim_end_matches('.').to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, allowed: &[&str], expected: Result<(), &str>) {
        let allowed = Allowed::read(allowed.iter().copied()).unwrap();
        let checked = Url::parse(text).map(|url| check_url(&url, &allowed));
        match (checked, expected) {
            (Ok(Ok(())), Ok(())) => {}
            (Ok(Err(refusal)), Err(words)) => assert!(refusal.to_string().contains(words), "{text}: {refusal}"),
            // What is no address at all goes nowhere either.
            (Err(_), Err("")) => {}
            (checked, _) => panic!("{text}: {checked:?}, expected {expected:?}"),
        }
    }

    #[test]
    fn public_addresses_are_allowed() {
        for text in [
            "https://example.com/component.yaml",
            "http://8.8.8.8/",
            "https://[2606:4700:4700::1111]/",
            "http://172.15.0.1/",
            "http://100.63.0.1/",
            "http://[64:ff9b::8.8.8.8]/",
            "https://bücher.example/",
            "http://localhost.example.com/",
        ] {
            check(text, &[], Ok(()));
        }
    }

    #[test]
    fn spellings_of_this_machine_and_its_networks_are_refused() {
        for (text, words) in [
            ("http://127.0.0.1/", "loopback"),
            ("http://127.1/", "loopback"),
            ("http://2130706433/", "loopback"),
            ("http://0x7f000001/", "loopback"),
            ("http://0x7f.0.0.1/", "loopback"),
            ("http://0177.0.0.01/", "loopback"),
            ("http://127.0.0.1./", "loopback"),
            ("http://１２７.0.0.1/", "loopback"),
            ("http://127。0。0。1/", "loopback"),
            ("http://%31%32%37.0.0.1/", "loopback"),
            ("http://0/", "unspecified"),
            ("http://0.0.0.0:8000/", "unspecified"),
            ("http://10.1.2.3/", "private"),
            ("http://172.31.255.255/", "private"),
            ("http://192.168.0.1/", "private"),
            ("http://3232235777/", "private"),
            ("http://169.254.169.254/latest/meta-data/", "link-local"),
            ("http://0xa9fea9fe/", "link-local"),
            ("http://0251.0376.0251.0376/", "link-local"),
            ("http://100.100.100.200/", "carrier"),
            ("http://224.0.0.1/", "multicast"),
            ("http://255.255.255.255/", "reserved"),
            ("http://198.18.0.1/", "reserved"),
            ("http://192.0.0.192/", "reserved"),
            ("http://[::]/", "unspecified"),
            ("http://[::1]/", "loopback"),
            ("http://[0:0:0:0:0:0:0:1]/", "loopback"),
            ("http://[::ffff:127.0.0.1]/", "loopback"),
            ("http://[::ffff:a9fe:a9fe]/", "link-local"),
            ("http://[::127.0.0.1]/", "loopback"),
            ("http://[::ffff:0:10.0.0.1]/", "private"),
            ("http://[64:ff9b::169.254.169.254]/", "link-local"),
            ("http://[64:ff9b:1::1]/", "private"),
            ("http://[2002:7f00:1::]/", "loopback"),
            ("http://[2002:a9fe:a9fe::]/", "link-local"),
            ("http://[2001:0:4136:e378:8000:63bf:3fff:fdd2]/", "reserved"),
            ("http://[fd00:ec2::254]/", "private"),
            ("http://[fe80::1]/", "link-local"),
            ("http://[fec0::1]/", "private"),
            ("http://[ff02::1]/", "multicast"),
            ("http://localhost/", "belongs to the machine"),
            ("http://LOCALHOST./", "belongs to the machine"),
            ("http://ｌｏｃａｌｈｏｓｔ/", "belongs to the machine"),
            ("http://a.localhost/", "belongs to the machine"),
            ("http://metadata.google.internal/", "belongs to the machine"),
            ("http://METADATA.google.internal./", "belongs to the machine"),
            ("http://metadata/", "belongs to the machine"),
            ("http://kubernetes.default.svc/", "belongs to the machine"),
            ("http://polyaxon.ns.svc.cluster.local/", "belongs to the machine"),
            ("http://user:secret@example.com/", "user name"),
            ("http://example.com@127.0.0.1/", "user name"),
            ("http://@127.0.0.1/", "loopback"),
            ("http://example.com\\@127.0.0.1/", ""),
            ("file:///etc/passwd", "not a web address"),
            ("ftp://example.com/", "not a web address"),
            ("gopher://127.0.0.1:6379/", "not a web address"),
            ("data:text/plain,x", "not a web address"),
            ("http://[fe80::1%25eth0]/", ""),
            ("http:///", ""),
        ] {
            if text.contains('\\') {
                // A backslash is a slash: the host is the one before it.
                check(text, &[], Ok(()));
            } else {
                check(text, &[], Err(words));
            }
        }
    }

    #[test]
    fn what_is_allowed_is_allowed_and_nothing_beside_it() {
        for (text, expected) in [
            ("http://10.1.2.3/", Ok(())),
            ("http://[::ffff:10.1.2.3]/", Ok(())),
            ("http://10.2.0.0/", Err("private")),
            ("http://[fd00::7]/", Ok(())),
            ("http://[fd01::7]/", Err("private")),
            ("http://127.0.0.1/", Ok(())),
            ("http://127.0.0.2/", Err("loopback")),
            ("http://Hooks.local./", Ok(())),
            ("http://x.hooks.local/", Err("belongs to the machine")),
        ] {
            check(text, &["10.1.0.0/16", "fd00::/16", "127.0.0.1", "hooks.local"], expected);
        }
        for text in ["10.0.0.0/33", "::/129", "a b", "10.0.0/8", "", "x/8"] {
            assert_eq!(Allowed::read([text]), Err(InvalidAllowance(text.into())));
        }
        let everything = Allowed::read(["0.0.0.0/0", "::/0"]).unwrap();
        assert_eq!(check_address([127, 0, 0, 1].into(), &everything), Ok(()));
        assert_eq!(check_address(Ipv6Addr::LOCALHOST.into(), &everything), Ok(()));
    }
}
