//! The schema as text, cut down to what an edition and version of GitLab has.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex};

use apollo_compiler::collections::IndexMap;
use apollo_compiler::schema::{ExtendedType, FieldDefinition, Implementers, ObjectType};
use apollo_compiler::validation::Valid;
use apollo_compiler::{Name, Node};

use super::GraphqlOptions;
use super::complexity::{Price, Prices};
use super::document::Documents;

/// The schema language text of everything the fake serves.
pub const SDL: &str = concat!(include_str!("schema.graphql"), include_str!("schema/ci.graphql"));

/// Which GitLab is played.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Edition {
    /// Community Edition: approval rules and requested changes do not exist in its schema.
    Ce,
    /// Enterprise Edition without a licence.
    #[default]
    Free,
    /// Enterprise Edition with a licence.
    Premium,
}

/// A schema ready to check and answer queries.
#[derive(Debug)]
pub struct Schema {
    pub definition: Valid<apollo_compiler::Schema>,
    pub(super) implementers: apollo_compiler::collections::HashMap<Name, Implementers>,
    pub(super) prices: Prices,
    pub(super) documents: Documents,
}

type Key = (Edition, Vec<String>);

static SCHEMAS: LazyLock<Mutex<HashMap<Key, Arc<Schema>>>> = LazyLock::new(Mutex::default);

/// The schema for these options, made at the first use.
pub(super) fn cached(options: &GraphqlOptions) -> anyhow::Result<Arc<Schema>> {
    let key = (options.edition, options.without.clone());
    let mut schemas = SCHEMAS.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    if let Some(schema) = schemas.get(&key) {
        return Ok(schema.clone());
    }
    let schema = Arc::new(Schema::new(options.edition, &options.without)?);
    schemas.insert(key, schema.clone());
    Ok(schema)
}

impl Schema {
    /// The schema of an edition, without the fields named as `Type.field`.
    pub fn new(edition: Edition, without: &[String]) -> anyhow::Result<Self> {
        let mut schema = parse()?;
        let mut prices = Prices::default();
        for (type_name, ty) in &mut schema.types {
            let Some(fields) = fields_of(ty) else { continue };
            fields.retain(|name, field| keeps(edition, without, type_name, name, field));
            for (name, field) in fields.iter_mut() {
                prices.insert(type_name, name, Price::of(field));
                field.make_mut().directives.0.clear();
            }
        }
        loosen_interfaces(&mut schema);
        schema.directive_definitions.retain(|name, _| name != "ee" && name != "price");
        let definition = schema.validate().map_err(|invalid| anyhow::anyhow!("{}", invalid.errors))?;
        let implementers = definition.implementers_map();
        Ok(Self { definition, implementers, prices, documents: Documents::default() })
    }

    /// The types an object behind this name can have.
    pub(super) fn possible_types(&self, name: &Name) -> Vec<Name> {
        match (self.definition.types.get(name), self.implementers.get(name)) {
            (Some(ExtendedType::Interface(_) | ExtendedType::Union(_)), Some(known)) => {
                known.objects.iter().cloned().collect()
            }
            _ => vec![name.clone()],
        }
    }
}

fn parse() -> anyhow::Result<apollo_compiler::Schema> {
    apollo_compiler::Schema::parse(SDL, "schema.graphql")
        .map_err(|invalid| anyhow::anyhow!("{}", invalid.errors))
}

type Fields = IndexMap<Name, Node<FieldDefinition>>;

fn fields_of(ty: &mut ExtendedType) -> Option<&mut Fields> {
    match ty {
        ExtendedType::Object(object) => Some(&mut object.make_mut().fields),
        ExtendedType::Interface(interface) => Some(&mut interface.make_mut().fields),
        _ => None,
    }
}

fn keeps(edition: Edition, without: &[String], ty: &str, name: &str, field: &FieldDefinition) -> bool {
    let enterprise_only = field.directives.has("ee");
    let taken_away = without.iter().any(|it| it.split_once('.') == Some((ty, name)));
    !taken_away && (edition != Edition::Ce || !enterprise_only)
}

/// An interface must not promise a field that was taken away from one of its types.
fn loosen_interfaces(schema: &mut apollo_compiler::Schema) {
    let objects: Vec<_> = schema.types.values().filter_map(ExtendedType::as_object).cloned().collect();
    for (interface, ty) in &mut schema.types {
        let ExtendedType::Interface(it) = ty else { continue };
        let implementers =
            objects.iter().filter(|object| object.implements_interfaces.contains(interface.as_str()));
        let lost = |name: &Name, object: &ObjectType| !object.fields.contains_key(name);
        it.make_mut().fields.retain(|name, _| !implementers.clone().any(|object| lost(name, object)));
    }
}
