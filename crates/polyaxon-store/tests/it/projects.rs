//! Projects and bookmarks.

use polyaxon_model::ids::ProjectId;
use polyaxon_model::kinds::LiveState;
use polyaxon_model::listing::Paging;
use polyaxon_model::project::{Project, ProjectBody};
use polyaxon_store::projects::{self, ProjectQuery};
use polyaxon_store::{Error, Result, bookmarks};
use serde_json::{Value as Json, json};
use uuid::Uuid;

use crate::testkit::{NOW, World, at, databases};

impl World {
    fn create_project(&self, body: Json) -> Result<Project> {
        let body: ProjectBody = serde_json::from_value(body).unwrap();
        self.store.write_blocking(move |tx| projects::create(tx, ProjectId::new(Uuid::new_v4()), &body, at(NOW)))
    }

    fn project_names(&self, query: &str, bookmarked: Option<bool>) -> Vec<String> {
        let wanted = ProjectQuery { query: query.into(), sort: "name".into(), bookmarked, paging: Paging::first(10) };
        let page = self.store.read_blocking(|tx| projects::list(tx, &wanted, at(NOW))).unwrap();
        page.results.into_iter().map(|project| project.name).collect()
    }
}

#[test]
fn names_are_unique_until_the_project_is_deleted() {
    for database in databases() {
        let world = World::on(&database);
        world.create_project(json!({"name": "a", "tags": ["x"]})).unwrap();
        assert!(matches!(world.create_project(json!({"name": "a"})), Err(Error::NameTaken { .. })));
        let rename = |to: &'static str| {
            let body = ProjectBody { name: Some(to.to_owned()), ..ProjectBody::default() };
            world.store.write_blocking(move |tx| projects::patch(tx, "a", &body, at(NOW)))
        };
        assert!(matches!(rename("p"), Err(Error::NameTaken { .. })));
        assert_eq!(rename("b").unwrap().tags.unwrap(), ["x"]);
        world.store.write_blocking(|tx| projects::set_live_state(tx, "b", LiveState::Deleting, at(NOW))).unwrap();
        assert_eq!(world.project_names("", None), ["p"]);
        world.create_project(json!({"name": "b"})).unwrap();
        assert_eq!(world.project_names("", None), ["b", "p"]);
    }
}

#[test]
fn projects_are_filtered_and_bookmarked() {
    for database in databases() {
        let world = World::on(&database);
        world.create_project(json!({"name": "vision", "tags": ["x"]})).unwrap();
        assert_eq!(world.project_names("name:vis%", None), ["vision"]);
        assert_eq!(world.project_names("tags:x|y", None), ["vision"]);
        world.store.write_blocking(|tx| bookmarks::add_project(tx, "vision")).unwrap();
        assert_eq!(world.project_names("", Some(true)), ["vision"]);
        assert_eq!(world.project_names("", Some(false)), ["p"]);
        world.store.write_blocking(|tx| bookmarks::remove_project(tx, "vision")).unwrap();
        world.store.write_blocking(|tx| bookmarks::remove_project(tx, "vision")).unwrap();
        assert_eq!(world.project_names("", Some(true)), [""; 0]);
        let never = world.store.write_blocking(|tx| bookmarks::remove_project(tx, "p"));
        assert!(matches!(never, Err(Error::NotFound { record: "Bookmark", .. })));
    }
}
