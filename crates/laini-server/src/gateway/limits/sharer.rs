use laini_core::sharing::{Asked, Reserve};
use laini_core::store::{Allowance, Demand, Grant, Limited, Paces, SharesError};

use super::meter::Calendar;
use super::shared_meter::SharedMeter;

/// Somebody with limits that nodes share.
pub(super) trait Sharer {
    /// The day and month that it stands in.
    fn calendar(&self) -> Calendar;

    /// What is counted of it.
    fn meters(&mut self) -> Box<dyn Iterator<Item = &mut SharedMeter> + '_>;

    /// What it may spend, of a budget or of what was paid in advance.
    fn budget(&mut self) -> Option<(Allowance, &mut Reserve)>;

    /// What is to be exchanged with the other nodes now.
    fn ask(&mut self) -> Vec<(Allowance, Asked)> {
        let (calendar, mut asked) = (self.calendar(), Vec::new());
        self.meters().for_each(|meter| meter.ask(&calendar, &mut asked));
        let spending = self.budget().and_then(|(allowance, reserve)| Some((allowance, reserve.ask()?)));
        asked.extend(spending);
        asked
    }

    /// Takes over what was granted of an allowance of its present day or month.
    fn answered(&mut self, allowance: Allowance, answer: Result<Grant, &SharesError>) {
        let calendar = self.calendar();
        self.meters().for_each(|meter| meter.answered(&calendar, allowance, answer));
        if let Some((_, reserve)) = self.budget().filter(|(budget, _)| *budget == allowance) {
            reserve.answered(answer);
        }
    }

    /// What it is asked for at rates; with `is_new`, only where this node's part is not known yet.
    fn demands(&mut self, is_new: bool) -> Vec<Demand> {
        self.meters().filter_map(|meter| meter.demand(is_new)).collect()
    }

    /// Takes over what other nodes are asked for: the answer to the demand told at `place`.
    fn heard(&mut self, of: Limited, place: usize, paces: Result<&Paces, u32>) {
        self.meters().for_each(|meter| meter.heard(of, place, paces));
    }

    /// Another second is over.
    fn tick(&mut self) {
        self.meters().for_each(SharedMeter::tick);
        if let Some((_, reserve)) = self.budget() {
            reserve.tick();
        }
    }

    /// Gives everything back with the next exchange.
    fn close(&mut self) {
        self.meters().for_each(SharedMeter::close);
        if let Some((_, reserve)) = self.budget() {
            reserve.close();
        }
    }
}
