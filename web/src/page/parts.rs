//! The parts of the page, from top to bottom.

mod answers;
mod card_panel;
mod colour_bar;
mod compare;
mod facts;
mod head;
mod images;
mod kept_models;
mod layer_fields;
mod made_canvas;
mod map_canvas;
mod method_form;
mod method_menu;
mod model_choice;
mod model_source;
mod notice_bar;
mod parameter_field;
mod results;
mod run_bar;
mod settings;
mod stage;
mod view_controls;

pub(crate) use answers::Answers;
pub(crate) use card_panel::CardPanel;
pub(crate) use compare::Compare;
pub(crate) use head::Head;
pub(crate) use images::Images;
pub(crate) use method_form::MethodForm;
pub(crate) use model_choice::ModelChoice;
pub(crate) use notice_bar::NoticeBar;
pub(crate) use run_bar::RunBar;
pub(crate) use stage::Stage;
