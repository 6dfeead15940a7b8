//! The accept loop: connections in, graceful end.

use std::time::Duration;

use axum::Router;
use axum::serve::ListenerExt;
use tokio::net::TcpListener;
use tokio::sync::watch;

/// How long requests in flight may take to end after a shutdown; log followers never end by themselves.
const GRACE: Duration = Duration::from_secs(2);

/// Serves until `shutdown` completes, then lets running requests end.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> std::io::Result<()> {
    let (tell, mut told) = watch::channel(());
    let listener = listener.tap_io(|connection| {
        // Answers are small; waiting to fill a packet would only add latency. A failure costs speed, nothing else.
        let _ = connection.set_nodelay(true);
    });
    let serving = axum::serve(listener, router).with_graceful_shutdown(async move {
        // An error means that the sender is gone, which is a shutdown too.
        let _ = told.changed().await;
    });
    let ending = async move {
        shutdown.await;
        // Nobody listens any more when serving has failed already.
        let _ = tell.send(());
        tokio::time::sleep(GRACE).await;
    };
    tokio::select! {
        result = serving.into_future() => result,
        () = ending => Ok(()),
    }
}
