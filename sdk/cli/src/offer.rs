//! The integrations of a program, and the selection of one of them.

use integration_sdk::Integration;

use crate::sample::StartSample;

/// An integration of the program, with the data that belongs to it.
pub(crate) struct Offer {
    pub(crate) integration: Integration,
    pub(crate) sample: Option<StartSample>,
    /// The questions about the data of the integration, as YAML.
    pub(crate) questions: Option<&'static str>,
    /// The rules about the data of the integration, as YAML.
    pub(crate) rules: Option<&'static str>,
}

impl Offer {
    pub(crate) fn of(integration: Integration) -> Self {
        Self { integration, sample: None, questions: None, rules: None }
    }

    pub(crate) fn id(&self) -> &str {
        self.integration.id()
    }
}

/// All integrations of a program; there is at least one.
pub(crate) struct Offers {
    first: Offer,
    others: Vec<Offer>,
}

impl Offers {
    pub(crate) fn new(first: Offer) -> Self {
        Self { first, others: Vec::new() }
    }

    pub(crate) fn add(&mut self, offer: Offer) {
        self.others.push(offer);
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Offer> {
        std::iter::once(&self.first).chain(&self.others)
    }

    /// The integration that was added last.
    pub(crate) fn last_mut(&mut self) -> &mut Offer {
        self.others.last_mut().unwrap_or(&mut self.first)
    }

    /// The default integration.
    pub(crate) fn first(&self) -> &Offer {
        &self.first
    }

    /// Whether the user has a choice.
    pub(crate) fn are_several(&self) -> bool {
        !self.others.is_empty()
    }

    /// The integration with this id; the first one without an id.
    pub(crate) fn selected(&self, id: Option<&str>) -> &Offer {
        id.and_then(|id| self.iter().find(|offer| offer.id() == id)).unwrap_or(&self.first)
    }

    /// The titles as an enumeration, such as `Heroku and a directory`.
    pub(crate) fn titles(&self) -> String {
        let titles: Vec<&str> = self.iter().map(|offer| offer.integration.title()).collect();
        match titles.split_last() {
            Some((last, [])) => (*last).to_owned(),
            Some((last, others)) => format!("{} and {last}", others.join(", ")),
            None => String::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn offer(id: &str, title: &str) -> Offer {
        Offer::of(Integration::without_provider::<()>(id, title))
    }

    #[test]
    fn the_first_integration_is_the_default_and_data_belongs_to_the_last() {
        let mut offers = Offers::new(offer("space", "Space"));
        assert!(!offers.are_several());
        offers.add(offer("crew", "the crew"));
        offers.last_mut().questions = Some("questions: []");
        assert_eq!((offers.selected(None).id(), offers.selected(Some("crew")).id()), ("space", "crew"));
        assert_eq!((offers.selected(None).questions, offers.are_several()), (None, true));
        assert_eq!(offers.titles(), "Space and the crew");
        offers.add(offer("ships", "the ships"));
        assert_eq!(offers.titles(), "Space, the crew and the ships");
    }
}
