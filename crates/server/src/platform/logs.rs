//! Logs (one JSON object a line, no personal data) and metrics (Prometheus text). Set up once per process by the command line.

use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use std::sync::OnceLock;
use tracing_subscriber::EnvFilter;

static METRICS: OnceLock<PrometheusHandle> = OnceLock::new();

/// Starts logging to standard error. `filter` as in the settings; a wrong one falls back to `info`.
pub fn start(filter: &str) {
    let filter = EnvFilter::try_new(filter).unwrap_or_else(|_| EnvFilter::new("info"));
    // Started twice (tests): the first stays.
    let _ = tracing_subscriber::fmt()
        .json()
        .flatten_event(true)
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .try_init();
}

/// Starts counting.
pub fn start_metrics() {
    if let Ok(handle) = PrometheusBuilder::new().install_recorder() {
        let _ = METRICS.set(handle);
    }
}

/// The counts as Prometheus text; empty when counting was not started.
pub fn metrics_text() -> String {
    METRICS.get().map(PrometheusHandle::render).unwrap_or_default()
}
