use serde::{Deserialize, Serialize};

use crate::partner::{App, AppId, AppStatus, Product};

/// Whom an incident reaches.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Affected {
    /// Every partner, whatever it asks.
    Everyone,
    /// Whoever has an app with one of these products.
    Products(Vec<Product>),
    /// Whoever has one of these apps.
    Apps(Vec<AppId>),
}

impl Affected {
    /// Whether an app is reached. One that was ended is reached by nothing.
    pub fn reaches(&self, app: &App) -> bool {
        let is_named = match self {
            Self::Everyone => true,
            Self::Products(products) => products.iter().any(|product| app.products.contains(*product)),
            Self::Apps(apps) => apps.contains(&app.id),
        };
        is_named && app.status != AppStatus::Revoked
    }
}
