//! Starts the service: settings, migrations, listener. SIGTERM and Ctrl-C stop it.

use std::error::Error;

use helpdesk::db::Client;
use helpdesk::{Config, ensure_admin, migrate, serve};
use tokio::net::TcpListener;
use tokio::signal;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error + Send + Sync>> {
    let config = Config::from_env()?;
    tracing_subscriber::fmt().with_max_level(config.log).with_ansi(false).with_writer(std::io::stderr).init();

    let report = migrate(&config.database_url).await?;
    tracing::info!(applied = report.applied.len(), before = report.already_applied, "migrated");
    let db = Client::builder(&config.database_url)?
        .application_name("helpdesk")
        .max_connections(config.max_connections)
        .statement_timeout(config.statement_timeout)
        .connect()
        .await?;
    if let Some((email, token)) = config.admin {
        ensure_admin(&db, email, &token).await?;
    }

    let listener = TcpListener::bind(config.listen).await?;
    tracing::info!(address = %listener.local_addr()?, "listening");
    serve(listener, db, stopped()).await?;
    tracing::info!("stopped");
    Ok(())
}

/// Resolves when the operating system or a person wants the service to stop.
async fn stopped() {
    let interrupted = async {
        if signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    };
    #[cfg(unix)]
    let terminated = async {
        match signal::unix::signal(signal::unix::SignalKind::terminate()) {
            Ok(mut signal) => _ = signal.recv().await,
            Err(_) => std::future::pending().await,
        }
    };
    #[cfg(not(unix))]
    let terminated = std::future::pending::<()>();
    tokio::select! {
        () = interrupted => {}
        () = terminated => {}
    }
}
