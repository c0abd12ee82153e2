//! What a server says besides its answers: notices and warnings, and the notifications of LISTEN.

use std::fmt;
use std::sync::Arc;

use tokio_postgres::error::DbError;
use tokio_postgres::{AsyncMessage, Notification};

/// Called with each notice of a connection.
#[derive(Clone)]
pub(crate) struct NoticeHook(pub(crate) Arc<dyn Fn(&DbError) + Send + Sync>);

impl fmt::Debug for NoticeHook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("NoticeHook")
    }
}

/// Called with each notification of a connection.
#[derive(Clone)]
pub(super) struct NotificationHook(pub(super) Arc<dyn Fn(Notification) + Send + Sync>);

impl fmt::Debug for NotificationHook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("NotificationHook")
    }
}

/// The hooks that get the messages of a server.
#[derive(Debug, Clone, Default)]
pub(super) struct MessageHooks {
    pub(super) notices: Option<NoticeHook>,
    pub(super) notifications: Option<NotificationHook>,
}

impl MessageHooks {
    pub(super) fn is_empty(&self) -> bool {
        self.notices.is_none() && self.notifications.is_none()
    }

    pub(super) fn tell(&self, message: AsyncMessage) {
        match (message, &self.notices, &self.notifications) {
            (AsyncMessage::Notice(notice), Some(hook), _) => (hook.0)(&notice),
            (AsyncMessage::Notification(notification), _, Some(hook)) => (hook.0)(notification),
            _ => {}
        }
    }
}
