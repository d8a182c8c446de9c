//! What a run is told to do while it lasts: by signals, and by other shells.

use super::Loop;
use super::signals::Order;
use crate::campaign::event::{Event, Stop};
use crate::journal::{Control, Journal};
use crate::time::Now;

impl<J: Journal + Send + 'static> Loop<'_, J> {
    pub(super) fn obey(&mut self, order: Order) {
        let now = self.clock.now();
        if order.stop == Stop::Now {
            self.signal.get_or_insert((order.exit, now.at)).0 = order.exit;
        }
        self.campaign.handle(now, Event::Stop(order.stop));
    }

    pub(super) fn take_orders(&mut self, control: Control, now: Now) {
        if self.paused != Some(control.paused) {
            self.paused = Some(control.paused);
            let stop = if control.paused { Stop::Pause } else { Stop::Resume };
            self.campaign.handle(now, Event::Stop(stop));
        }
        if control.stop && !std::mem::replace(&mut self.stop_asked, true) {
            self.campaign.handle(now, Event::Stop(Stop::Drain));
        }
    }
}
