//! The list of artifacts with its search, and one artifact.

use serde_json::Value;

use super::html::Html;
use super::{PER_PAGE, Query};
use crate::registry::store::{Found, Row};

/// Characters of a text in the list.
const CELL: usize = 160;

pub(super) fn section(body: &mut Html, query: &Query, count: u64, found: &Found) {
    body.raw("<section><h1>Artifacts <small>").number(count).raw("</small></h1>");
    body.raw(
        "<form action=\"/\" method=\"get\" role=\"search\"><input type=\"search\" name=\"q\" \
              aria-label=\"Search\" placeholder=\"name, type, URI or ARN holds …\" value=",
    )
    .attribute(&query.text)
    .raw(">");
    if let Some(refresh) = query.refresh {
        body.raw("<input type=\"hidden\" name=\"refresh\" value=")
            .attribute(&refresh.to_string())
            .raw(">");
    }
    body.raw("<button>Search</button>");
    if !query.text.is_empty() {
        body.raw("<a href=\"/\">all artifacts</a>");
    }
    body.raw("</form>");
    if found.rows.is_empty() {
        empty(body, query, found.gave_up);
    } else {
        table(body, &found.rows);
    }
    paging(body, query, found);
    body.raw("</section>");
}

fn empty(body: &mut Html, query: &Query, gave_up: bool) {
    body.raw("<p class=\"empty\">");
    match (query.text.is_empty(), gave_up) {
        (true, _) if query.after.is_none() => {
            body.raw(
                "There are none yet. Point a client here: <code>aws sagemaker create-artifact \
                      --endpoint-url …</code>",
            );
        }
        (_, true) => {
            body.raw("Nothing among the artifacts that were looked at here holds ")
                .code(&query.text)
                .raw(".");
        }
        (false, false) => {
            body.raw("Nothing").raw(if query.after.is_some() { " more" } else { "" });
            body.raw(" holds ").code(&query.text).raw(".");
        }
        (true, false) => {
            body.raw("There are no more.");
        }
    }
    body.raw("</p>");
}

fn table(body: &mut Html, rows: &[Row]) {
    body.raw(
        "<div class=\"wide\"><table class=\"list\"><thead><tr><th>Name<th>Type<th>Source URI\
              <th>Created (UTC)</thead><tbody>",
    );
    for row in rows {
        body.raw("<tr><td><a dir=\"auto\" href=").attribute(&address(&row.arn)).raw(">");
        match &row.name {
            Some(name) => body.cut(name, CELL),
            None => body.raw("<i>no name</i>"),
        };
        body.raw("</a><td dir=\"auto\">").cut(&row.artifact_type, CELL / 4);
        body.raw("<td dir=\"auto\" class=\"uri\">").cut(&row.uri, CELL);
        let types = row.source_types.as_array().map_or(0, Vec::len);
        if types > 0 {
            let plural = if types == 1 { "type" } else { "types" };
            body.raw(" <small>").number(types as u64).raw(" source ").raw(plural).raw("</small>");
        }
        body.raw("<td class=\"time\">").time(row.created);
    }
    body.raw("</tbody></table></div>");
}

fn paging(body: &mut Html, query: &Query, found: &Found) {
    body.raw("<nav>");
    if query.after.is_some() {
        body.raw("<a href=").attribute(&query.address(None, query.refresh)).raw(">← newest</a> ");
    }
    if let Some(next) = found.next {
        let address = query.address(Some(&next.encode()), query.refresh);
        body.raw("<a rel=\"next\" href=").attribute(&address).raw(">");
        if found.gave_up {
            body.raw("search on among older ones →");
        } else {
            body.raw("older →");
        }
        body.raw("</a>");
    } else if query.after.is_none() && found.rows.len() > PER_PAGE / 2 {
        body.raw("<span>these are all</span>");
    }
    body.raw("</nav>");
}

fn address(arn: &str) -> String {
    let mut pairs = form_urlencoded::Serializer::new(String::new());
    pairs.append_pair("arn", arn);
    format!("/_lineload/artifact?{}", pairs.finish())
}

pub(super) fn detail(body: &mut Html, row: &Row, tags: &[(String, String)]) {
    body.raw("<nav><a href=\"/\">← all artifacts</a></nav><section><h1 dir=\"auto\">");
    match &row.name {
        Some(name) => body.text(name),
        None => body.raw("<i>no name</i>"),
    };
    body.raw("</h1><table class=\"fields\"><tbody>");
    let mut field = |name: &str, value: &str| {
        body.raw("<tr><th>").raw(name).raw("<td dir=\"auto\">").text(value);
    };
    field("ArtifactArn", &row.arn);
    field("ArtifactType", &row.artifact_type);
    field("SourceUri", &row.uri);
    body.raw("<tr><th>CreationTime<td>").time(row.created).raw(" UTC");
    body.raw("<tr><th>LastModifiedTime<td>")
        .time(row.modified)
        .raw(" UTC</tbody></table></section>");
    let text = |value: &Value, key: &str| {
        value.get(key).and_then(Value::as_str).unwrap_or_default().to_owned()
    };
    let types = row.source_types.as_array().into_iter().flatten();
    let types =
        types.map(|one| (text(one, "SourceIdType"), text(one, "Value"))).collect::<Vec<_>>();
    pairs(body, "Source types", &types);
    pairs(body, "Properties", &entries(&row.properties));
    pairs(body, "Metadata", &entries(&row.metadata));
    pairs(body, "Tags", tags);
}

fn entries(map: &Value) -> Vec<(String, String)> {
    let entries = map.as_object().into_iter().flatten();
    entries
        .map(|(key, value)| (key.clone(), value.as_str().unwrap_or_default().to_owned()))
        .collect()
}

fn pairs(body: &mut Html, title: &str, pairs: &[(String, String)]) {
    body.raw("<section><h2>").raw(title).raw(" <small>").number(pairs.len() as u64);
    body.raw("</small></h2>");
    if pairs.is_empty() {
        body.raw("<p class=\"empty\">none</p></section>");
        return;
    }
    body.raw("<table class=\"fields\"><tbody>");
    for (key, value) in pairs {
        body.raw("<tr><th dir=\"auto\">").text(key).raw("<td dir=\"auto\">").text(value);
    }
    body.raw("</tbody></table></section>");
}
