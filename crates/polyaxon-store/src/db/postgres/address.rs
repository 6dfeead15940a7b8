//! The address of a database: `postgres://user:password@host:port/database?sslmode=…`.
//!
//! Invariant: what is told of it, also in errors, never holds the password. An address that cannot be read is not
//! repeated at all, since nobody knows where in it the password is.

use std::path::PathBuf;
use std::time::Duration;

use ::postgres::Config;
use ::postgres::config::{Host, SslMode};

use crate::db::Place;
use crate::{Error, Result};

/// How the connection is protected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Protection {
    None,
    /// Against listeners only, as `sslmode=prefer` and `require` are defined.
    Encrypted,
    /// The certificate is signed by an authority that is trusted.
    Authority(Roots),
    /// And it is made for the host of the address.
    Host(Roots),
}

/// Which authorities are trusted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Roots {
    System,
    File(PathBuf),
}

#[derive(Clone)]
pub(crate) struct Address {
    pub(super) config: Config,
    pub(super) protection: Protection,
    pub(crate) place: Place,
}

/// Whether a text is an address of this kind, and not the path of a file.
pub(crate) fn is_address(text: &str) -> bool {
    text.starts_with("postgres://") || text.starts_with("postgresql://")
}

impl Address {
    pub(crate) fn parse(text: &str) -> Result<Address> {
        let (base, query) = text.split_once('?').unwrap_or((text, ""));
        let (mut mode, mut root, mut others) = ("prefer", None, Vec::new());
        for option in query.split('&').filter(|option| !option.is_empty()) {
            match option.split_once('=') {
                Some(("sslmode", value)) => mode = value,
                Some(("sslrootcert", value)) => root = Some(value),
                _ => others.push(option),
            }
        }
        let roots = match root {
            None | Some("system") => Roots::System,
            Some(path) => Roots::File(path.replace("%2F", "/").replace("%2f", "/").into()),
        };
        let (encryption, protection) = match mode {
            "disable" => (SslMode::Disable, Protection::None),
            "allow" | "prefer" => (SslMode::Prefer, Protection::Encrypted),
            "require" if root.is_none() => (SslMode::Require, Protection::Encrypted),
            "require" | "verify-ca" => (SslMode::Require, Protection::Authority(roots)),
            "verify-full" => (SslMode::Require, Protection::Host(roots)),
            _ => {
                let modes = "disable, prefer, require, verify-ca or verify-full";
                return Err(Error::Address(format!("the database address has an unknown sslmode; use {modes}")));
            }
        };
        let text = if others.is_empty() { base.to_owned() } else { format!("{base}?{}", others.join("&")) };
        let mut config: Config = text.parse().map_err(|_| Error::Address(UNREADABLE.to_owned()))?;
        if config.get_hosts().is_empty() {
            config.host("localhost");
        }
        config.ssl_mode(encryption);
        config.application_name("polyaxon");
        if config.get_connect_timeout().is_none() {
            config.connect_timeout(Duration::from_secs(3));
        }
        config.tcp_user_timeout(Duration::from_secs(10)).keepalives_idle(Duration::from_secs(10));
        config.keepalives_interval(Duration::from_secs(5)).keepalives_retries(3);
        let place = Place::Server(told(&config));
        Ok(Address { config, protection, place })
    }
}

const UNREADABLE: &str = "the database address cannot be read; expected postgres://USER:PASSWORD@HOST:PORT/DATABASE, \
     where characters such as @ / ? # % in the password are written as %40 %2F %3F %23 %25";

/// The address without its password.
fn told(config: &Config) -> String {
    let host = config.get_hosts().first().map_or_else(String::new, |host| match host {
        Host::Tcp(name) => name.clone(),
        Host::Unix(folder) => folder.display().to_string(),
    });
    let port = config.get_ports().first().copied().unwrap_or(5432);
    let user = config.get_user().map(|user| format!("{user}@")).unwrap_or_default();
    let database = config.get_dbname().or(config.get_user()).unwrap_or_default();
    format!("postgres://{user}{host}:{port}/{database}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str) -> (String, Protection) {
        let address = Address::parse(text).unwrap();
        (address.place.to_string(), address.protection)
    }

    #[test]
    fn passwords_are_never_told() {
        assert_eq!(
            check("postgres://ann:s3cret%40x@db.example:6543/ml"),
            ("postgres://ann@db.example:6543/ml".to_owned(), Protection::Encrypted)
        );
        assert_eq!(check("postgresql:///ml?host=/run/pg&user=ann").0, "postgres://ann@/run/pg:5432/ml");
        for wrong in ["postgres://ann:s3cret@h:port/ml", "postgres://ann:s3/cret@h:x/ml", "postgres://h/ml?s3cret=1"] {
            let error = Address::parse(wrong).err().unwrap().to_string();
            assert!(!error.contains("s3") && error.contains("expected postgres://USER"), "{error}");
        }
    }

    #[test]
    fn protection_is_as_libpq_defines_it() {
        let file = || Roots::File("/etc/ca.pem".into());
        for (options, protection) in [
            ("sslmode=disable", Protection::None),
            ("sslmode=require", Protection::Encrypted),
            ("sslmode=require&sslrootcert=/etc/ca.pem", Protection::Authority(file())),
            ("sslmode=verify-ca", Protection::Authority(Roots::System)),
            ("sslrootcert=%2Fetc/ca.pem&sslmode=verify-full&connect_timeout=2", Protection::Host(file())),
        ] {
            assert_eq!(check(&format!("postgres://h/d?{options}")).1, protection, "{options}");
        }
        assert!(Address::parse("postgres://h/d?sslmode=maybe").is_err());
    }
}
