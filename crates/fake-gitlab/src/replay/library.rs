//! The elements of all recordings, the newest of each.

use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, Utc};
use serde_json::Value;

use super::place::{self, Place};
use super::recordings::Recording;

/// Elements by the list they are in.
#[derive(Debug, Default)]
pub(super) struct Library {
    lists: HashMap<String, List>,
    plain: HashMap<String, Value>,
    /// Ids by path, for projects and for groups.
    paths: HashMap<String, String>,
}

/// One list's elements in the order they were first met.
#[derive(Debug, Default)]
struct List {
    elements: Vec<Value>,
    places: BTreeMap<String, usize>,
}

impl Library {
    pub(super) fn new(recordings: Vec<Recording>) -> Self {
        let mut library = Self::default();
        // Projects and groups first: other paths may name them by their path.
        let (owners, others): (Vec<_>, Vec<_>) = recordings.into_iter().partition(is_owner);
        for recording in owners {
            library.add(recording);
        }
        library.learn_paths();
        for recording in others {
            library.add(recording);
        }
        library.learn_paths();
        library
    }

    fn add(&mut self, recording: Recording) {
        let Some(path) = recording.path else { return self.add_by_shape(recording.body) };
        match (place::of_path(&self.by_ids(path)), recording.body) {
            (Place::List(list), Value::Array(elements)) => self.add_list(&list, elements),
            (Place::Element(list, _), element @ Value::Object(_)) => self.add_element(&list, element),
            (Place::List(path) | Place::Plain(path), body) => self.add_plain(path, body),
            (Place::Element(list, key), body) => self.add_plain(format!("{list}/{key}"), body),
        }
    }

    fn add_list(&mut self, list: &str, elements: Vec<Value>) {
        // Even an empty list was recorded: it is answered, not unknown.
        self.lists.entry(place::home(list, &Value::Null)).or_default();
        for element in elements {
            self.add_element(list, element);
        }
    }

    fn add_element(&mut self, list: &str, element: Value) {
        if let Some((project, _)) = list.split_once("/pipelines/").filter(|_| list.ends_with("/jobs")) {
            self.put(&format!("{project}/jobs"), element.clone());
        }
        self.put(&place::home(list, &element), element);
    }

    fn put(&mut self, list: &str, element: Value) {
        let Some(key) = place::key(list, &element) else { return };
        let list = self.lists.entry(list.to_owned()).or_default();
        match list.places.get(&key) {
            Some(at) if is_newer(&element, &list.elements[*at]) => list.elements[*at] = element,
            Some(_) => {}
            None => {
                list.places.insert(key, list.elements.len());
                list.elements.push(element);
            }
        }
    }

    fn add_plain(&mut self, path: String, body: Value) {
        let forks = path.ends_with("/forks");
        if let Some(elements) = body.as_array().filter(|_| forks) {
            elements.iter().for_each(|project| self.add_element("projects", project.clone()));
        }
        if let Some(groups) = body.as_array().filter(|_| path.ends_with("groups")) {
            groups.iter().for_each(|group| self.add_element("groups", group.clone()));
            return;
        }
        self.plain.insert(path, body);
    }

    fn add_by_shape(&mut self, body: Value) {
        let elements = match body {
            Value::Array(elements) => elements,
            element => vec![element],
        };
        for element in elements {
            if let Some(list) = place::by_shape(&element) {
                self.put(&list, element);
            }
        }
    }

    fn learn_paths(&mut self) {
        for (list, field) in [("projects", "path_with_namespace"), ("groups", "full_path")] {
            let Some(known) = self.lists.get(list) else { continue };
            for element in &known.elements {
                if let (Some(path), Some(id)) = (element[field].as_str(), place::key(list, element)) {
                    self.paths.insert(format!("{list}/{}", path.to_lowercase()), id);
                }
            }
        }
    }

    /// The same path with the project or group named by its id.
    pub(super) fn by_ids(&self, mut path: Vec<String>) -> Vec<String> {
        if let [kind, name, ..] = path.as_mut_slice()
            && let Some(id) = self.paths.get(&format!("{kind}/{}", name.to_lowercase()))
        {
            *name = id.clone();
        }
        path
    }

    /// A list's elements; None where nothing of it was recorded.
    pub(super) fn list(&self, list: &str) -> Option<Vec<&Value>> {
        self.lists.get(list).map(|it| it.elements.iter().collect())
    }

    /// One element of a list.
    pub(super) fn element(&self, list: &str, key: &str) -> Option<&Value> {
        let list = self.lists.get(list)?;
        list.places.get(key).and_then(|at| list.elements.get(*at))
    }

    /// A body that is no element of a list.
    pub(super) fn plain(&self, path: &str) -> Option<&Value> {
        self.plain.get(path)
    }
}

/// Whether a recording holds projects or groups themselves.
fn is_owner(recording: &Recording) -> bool {
    let Some(path) = &recording.path else { return false };
    match place::of_path(path) {
        Place::List(list) => list == "groups" || list.ends_with("projects"),
        Place::Element(list, _) => list == "projects" || list == "groups",
        Place::Plain(path) => path.ends_with("/forks") || path.ends_with("groups"),
    }
}

/// By `updated_at` where both have one; otherwise the later recording is the newer. Of one moment the fuller recording
/// counts: a list tells less of a pipeline than the pipeline alone.
fn is_newer(element: &Value, than: &Value) -> bool {
    let fields = |it: &Value| it.as_object().map_or(0, |it| it.len());
    match (time(element, "updated_at"), time(than, "updated_at")) {
        (Some(one), Some(other)) if one == other => fields(element) >= fields(than),
        (Some(element), Some(than)) => element > than,
        _ => true,
    }
}

/// A time field.
pub(super) fn time(element: &Value, field: &str) -> Option<DateTime<Utc>> {
    parse_time(element.get(field)?.as_str()?)
}

/// A time as GitLab's parameters and bodies write it; a bare date is its midnight.
pub(super) fn parse_time(text: &str) -> Option<DateTime<Utc>> {
    let midnight = || Some(text.parse::<chrono::NaiveDate>().ok()?.and_hms_opt(0, 0, 0)?.and_utc());
    DateTime::parse_from_rfc3339(text).ok().map(|it| it.to_utc()).or_else(midnight)
}
