//! Messages as e-mail, by SMTP.

use std::time::Duration;

use lettre::message::{Mailbox, MultiPart};
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Tls, TlsParameters};
use lettre::{Message, SmtpTransport, Transport};

use super::Error;
use super::message::Notification;
use super::target::{MailTarget, Security};
use crate::http::install_crypto;

pub(super) async fn send(notification: &Notification, target: &MailTarget, timeout: Duration) -> Result<(), Error> {
    install_crypto();
    let message = message(notification, &target.from, &target.to).map_err(|error| Error::Mail(error.to_string()))?;
    let transport = transport(target, timeout)?;
    let sent = tokio::task::spawn_blocking(move || transport.send(&message)).await;
    match sent {
        Ok(Ok(_)) => Ok(()),
        Ok(Err(error)) => Err(Error::Smtp(words(&error))),
        Err(_) => Err(Error::Smtp("the dialogue was broken off".to_owned())),
    }
}

fn transport(target: &MailTarget, timeout: Duration) -> Result<SmtpTransport, Error> {
    let parameters = || TlsParameters::new(target.host.clone()).map_err(|error| Error::Smtp(words(&error)));
    let tls = match target.security {
        Security::Plain => Tls::None,
        Security::StartTls => Tls::Required(parameters()?),
        Security::Tls => Tls::Wrapper(parameters()?),
    };
    let builder = SmtpTransport::builder_dangerous(&*target.host).port(target.port).tls(tls).timeout(Some(timeout));
    Ok(match &target.login {
        Some((user, password)) => builder.credentials(Credentials::new(user.clone(), password.clone())).build(),
        None => builder.build(),
    })
}

fn message(notification: &Notification, from: &Mailbox, to: &[Mailbox]) -> Result<Message, lettre::error::Error> {
    let mut builder =
        Message::builder().from(from.clone()).subject(notification.title().trim_end().replace(['\r', '\n'], " "));
    for mailbox in to {
        builder = builder.to(mailbox.clone());
    }
    builder.multipart(MultiPart::alternative_plain_html(notification.details(), html(notification)))
}

fn html(notification: &Notification) -> String {
    let reason = notification.condition.reason.as_deref().unwrap_or_default();
    format!(
        "<div style=\"border-left: 4px solid {}; padding-left: 16px\"><h2>{}</h2><p>{}</p><pre>{}</pre>\
         <p><a href=\"{}\">View Details</a></p></div>",
        notification.color(),
        escape(notification.title().trim_end()),
        escape(reason),
        escape(&notification.details()),
        escape(&notification.url()),
    )
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// An error and what led to it. The library names neither the login nor what was sent.
fn words(error: &lettre::transport::smtp::Error) -> String {
    let mut words = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        let text = error.to_string();
        if !words.contains(&text) {
            words = format!("{words}: {text}");
        }
        cause = error.source();
    }
    words
}

#[cfg(test)]
mod tests {
    use super::super::message::tests::notification;
    use super::*;

    #[test]
    fn a_mail_has_both_forms_and_no_foreign_markup() {
        let spiteful = Notification { name: Some("<script>\r\nBcc: x@y.z".to_owned()), ..notification() };
        let mailbox: Mailbox = "Ann <ann@example.com>".parse().unwrap();
        let mail = message(&spiteful, &mailbox, std::slice::from_ref(&mailbox)).unwrap();
        let text = String::from_utf8(mail.formatted()).unwrap();
        assert!(text.contains("To: Ann <ann@example.com>") || text.contains("To: \"Ann\" <ann@example.com>"), "{text}");
        assert!(text.contains("text/plain") && text.contains("text/html"), "{text}");
        let head = text.split("\r\n\r\n").next().unwrap();
        assert!(!head.contains("\nBcc:") && head.contains("Subject: <script>  Bcc: x@y.z"), "{head}");
        assert!(html(&spiteful).contains("&lt;script&gt;"));
    }
}
