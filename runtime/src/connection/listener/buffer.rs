//! The events that a program has not read yet: a bounded number of notifications, and what happened to the connection.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use super::notification::ListenEvent;

/// A buffer with one reader.
pub(super) struct Buffer(Mutex<Events>);

struct Events {
    /// In the order in which they happened.
    queue: VecDeque<ListenEvent>,
    /// How many of them are notifications, and how many may be.
    notifications: usize,
    capacity: usize,
    /// How many notifications were dropped. All of them came before those of the queue.
    lagged: u64,
    is_connected: bool,
    has_ended: bool,
    reader: Option<Waker>,
}

impl Buffer {
    pub(super) fn new(capacity: usize) -> Self {
        Self(Mutex::new(Events {
            queue: VecDeque::new(),
            notifications: 0,
            capacity: capacity.max(1),
            lagged: 0,
            is_connected: true,
            has_ended: false,
            reader: None,
        }))
    }

    fn events(&self) -> MutexGuard<'_, Events> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Appends an event. If there is no room for a notification, the oldest one is dropped.
    pub(super) fn push(&self, event: ListenEvent) {
        let mut events = self.events();
        match event {
            ListenEvent::Notification(_) => {
                if events.notifications == events.capacity {
                    events.drop_oldest();
                }
                events.notifications += 1;
            }
            // Only the last pair of `Disconnected` and `Reconnected` is kept: it replaces an earlier one.
            ListenEvent::Disconnected => {
                events.is_connected = false;
                events.queue.retain(is_notification);
            }
            ListenEvent::Reconnected => events.is_connected = true,
            ListenEvent::Lagged(_) => {}
        }
        events.queue.push_back(event);
        events.wake();
    }

    pub(super) fn is_connected(&self) -> bool {
        self.events().is_connected
    }

    /// Lets the stream end after its last event.
    pub(super) fn end(&self) {
        let mut events = self.events();
        (events.has_ended, events.is_connected) = (true, false);
        events.wake();
    }

    pub(super) fn poll_next(&self, cx: &mut Context<'_>) -> Poll<Option<ListenEvent>> {
        let mut events = self.events();
        if events.lagged > 0 {
            return Poll::Ready(Some(ListenEvent::Lagged(std::mem::take(&mut events.lagged))));
        }
        if let Some(event) = events.queue.pop_front() {
            events.notifications -= usize::from(is_notification(&event));
            return Poll::Ready(Some(event));
        }
        if events.has_ended {
            return Poll::Ready(None);
        }
        events.reader = Some(cx.waker().clone());
        Poll::Pending
    }
}

impl Events {
    fn drop_oldest(&mut self) {
        if let Some(place) = self.queue.iter().position(is_notification) {
            self.queue.remove(place);
            self.notifications -= 1;
            self.lagged += 1;
        }
    }

    fn wake(&mut self) {
        if let Some(reader) = self.reader.take() {
            reader.wake();
        }
    }
}

fn is_notification(event: &ListenEvent) -> bool {
    matches!(event, ListenEvent::Notification(_))
}

#[cfg(test)]
mod tests {
    use super::super::Notification;
    use super::*;

    fn one(payload: &str) -> ListenEvent {
        ListenEvent::Notification(Notification::with("channel", payload))
    }

    fn read(buffer: &Buffer) -> Vec<Option<ListenEvent>> {
        let mut cx = Context::from_waker(Waker::noop());
        let mut read = Vec::new();
        while let Poll::Ready(event) = buffer.poll_next(&mut cx) {
            read.push(event);
            if read.last().is_some_and(Option::is_none) {
                break;
            }
        }
        read
    }

    #[test]
    fn the_oldest_notifications_are_dropped_and_counted() {
        let buffer = Buffer::new(2);
        ["a", "b", "c", "d"].iter().for_each(|payload| buffer.push(one(payload)));
        assert_eq!(read(&buffer), [Some(ListenEvent::Lagged(2)), Some(one("c")), Some(one("d"))]);
        buffer.push(one("e"));
        assert_eq!(read(&buffer), [Some(one("e"))]);
    }

    #[test]
    fn what_happened_to_the_connection_is_never_dropped() {
        let buffer = Buffer::new(1);
        buffer.push(one("a"));
        for _ in 0..3 {
            buffer.push(ListenEvent::Disconnected);
            buffer.push(ListenEvent::Reconnected);
            buffer.push(one("b"));
        }
        let both = [Some(ListenEvent::Disconnected), Some(ListenEvent::Reconnected)];
        let all = [&[Some(ListenEvent::Lagged(3))], &both[..], &[Some(one("b"))]].concat();
        assert_eq!(read(&buffer), all);
        assert!(buffer.is_connected());
    }

    #[test]
    fn the_end_comes_after_what_was_buffered() {
        let buffer = Buffer::new(4);
        buffer.push(one("a"));
        buffer.end();
        assert_eq!(read(&buffer), [Some(one("a")), None]);
        assert!(!buffer.is_connected());
    }
}
