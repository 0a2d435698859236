//! The prices of dynos.

use std::collections::HashMap;

use integration_sdk::prelude::*;

use super::bodies::DynoSizeBody;
use crate::client::Heroku;
use crate::resource::Price;

/// The prices of dynos by size. Sizes are compared without regard to case, because the API writes them in two ways.
pub(super) struct DynoPrices(HashMap<String, Price>);

impl DynoPrices {
    /// Reads the price list of the account.
    pub(super) async fn of(api: &Heroku) -> StepResult<Self> {
        let mut prices = HashMap::new();
        let mut sizes = api.http().get("/dyno-sizes", &[]).list::<DynoSizeBody>();
        while let Some(DynoSizeBody { name, cost }) = sizes.try_next().await?.map(|size| size.value) {
            prices.extend(cost.map(|cost| (name.to_lowercase(), cost)));
        }
        Ok(Self(prices))
    }

    /// Returns the price of one dyno of a size; `None` if Heroku names none.
    pub(super) fn price(&self, size: &str) -> Option<&Price> {
        self.0.get(&size.to_lowercase())
    }
}
