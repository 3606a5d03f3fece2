//! `GET /api/v1/openapi.json`: the API's own description (OpenAPI 3.1), with the public URL as its server.

use super::super::fault::{Fault, Problem};
use super::super::state::AppState;
use axum::Json;
use axum::extract::State;
use serde_json::{Value, json};

const DESCRIPTION: &str = include_str!("openapi.json");

pub(in super::super) async fn openapi(State(state): State<AppState>) -> Result<Json<Value>, Fault> {
    let mut description: Value = serde_json::from_str(DESCRIPTION).map_err(|error| {
        tracing::error!(%error, "The embedded OpenAPI description is no JSON");
        Fault::new(Problem::Internal)
    })?;
    if let Some(members) = description.as_object_mut() {
        members.insert("servers".into(), json!([{"url": state.settings().links.base()}]));
    }
    Ok(Json(description))
}

#[cfg(test)]
mod tests {
    use super::super::super::route::Resource;
    use super::*;

    #[test]
    fn the_description_names_every_route_and_nothing_else() {
        let description: Value = serde_json::from_str(DESCRIPTION).unwrap();
        let mut described: Vec<&str> = description["paths"].as_object().unwrap().keys().map(String::as_str).collect();
        described.sort_unstable();
        let mut routes: Vec<&str> = Resource::ALL.into_iter().map(Resource::path).collect();
        routes.retain(|path| path.starts_with("/api/"));
        routes.sort_unstable();
        assert_eq!(described, routes);
    }

    #[test]
    fn every_reference_of_the_description_leads_somewhere() {
        fn references(value: &Value, found: &mut Vec<String>) {
            match value {
                Value::Object(members) => {
                    found.extend(members.get("$ref").and_then(Value::as_str).map(str::to_owned));
                    members.values().for_each(|value| references(value, found));
                }
                Value::Array(items) => items.iter().for_each(|value| references(value, found)),
                _ => (),
            }
        }
        let description: Value = serde_json::from_str(DESCRIPTION).unwrap();
        let mut found = Vec::new();
        references(&description, &mut found);
        assert!(!found.is_empty());
        for reference in found {
            assert!(description.pointer(reference.trim_start_matches('#')).is_some(), "{reference}");
        }
    }
}
