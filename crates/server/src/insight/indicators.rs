//! Indicators 指标: every figure of the board with its printed definition. The board shows no number that is not in this list.

use crate::platform::Lang;

/// One figure: how it is called and exactly what it counts.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Indicator {
    /// Stable key.
    pub key: &'static str,
    /// `count` or `percent`.
    pub unit: &'static str,
    name: (&'static str, &'static str),
    definition: (&'static str, &'static str),
}

impl Indicator {
    /// Its name.
    pub fn name(&self, lang: Lang) -> &'static str {
        lang.pick(self.name.0, self.name.1)
    }

    /// What it counts, over what.
    pub fn definition(&self, lang: Lang) -> &'static str {
        lang.pick(self.definition.0, self.definition.1)
    }
}

/// All indicators, in the order they are shown. "The period" is the one asked for, else the last
/// [`super::PERIOD_DAYS`] days, today included.
pub const INDICATORS: &[Indicator] = &[
    Indicator {
        key: "open",
        unit: "count",
        name: ("未办结", "Open"),
        definition: (
            "已收到、尚未结案的事件（不含不予受理、合并、撤回）。",
            "Cases received and not yet closed, declined, merged or withdrawn.",
        ),
    },
    Indicator {
        key: "late",
        unit: "count",
        name: ("已超时", "Late"),
        definition: (
            "未办结事件中，主办单位当前环节已超过时限的。",
            "Open cases whose lead is past the limit of the present step.",
        ),
    },
    Indicator {
        key: "received_today",
        unit: "count",
        name: ("今日收到", "Received today"),
        definition: (
            "今日零时起收到的事件；合并后的只算一件。",
            "Cases received since midnight; merged ones count once.",
        ),
    },
    Indicator {
        key: "closed_today",
        unit: "count",
        name: ("今日结案", "Closed today"),
        definition: (
            "今日零时起结案、至今未重开的事件。",
            "Cases closed since midnight and not reopened.",
        ),
    },
    Indicator {
        key: "received",
        unit: "count",
        name: ("时段内收到", "Received in the period"),
        definition: (
            "所选时段（不选时为含今天的时段内）内收到的事件。",
            "Cases received in the period (the last 30 days, today included, when none is chosen).",
        ),
    },
    Indicator {
        key: "closed",
        unit: "count",
        name: ("时段内结案", "Closed in the period"),
        definition: (
            "时段内结案、至今未重开的事件。",
            "Cases closed in the period and not reopened.",
        ),
    },
    Indicator {
        key: "on_time_rate",
        unit: "percent",
        name: ("按时处置率", "Handled on time"),
        definition: (
            "时段内处置完成的事件中，主办单位在处置时限内完成的比例。",
            "Of the cases handled in the period, the share the lead finished within the limit.",
        ),
    },
    Indicator {
        key: "answered_rate",
        unit: "percent",
        name: ("反馈率", "Answered"),
        definition: (
            "时段内处置完成的事件中，已向居民反馈的比例。件件有回音。",
            "Of the cases handled in the period, the share whose residents have been given the answer.",
        ),
    },
    Indicator {
        key: "resolved_here_rate",
        unit: "percent",
        name: ("就地解决率", "Resolved here"),
        definition: (
            "时段内结案的事件中，由本级或下级单位解决的比例。",
            "Of the cases closed in the period, the share resolved by a unit of this level or below.",
        ),
    },
];

/// The indicator with this key.
pub fn indicator(key: &str) -> Option<&'static Indicator> {
    INDICATORS.iter().find(|indicator| indicator.key == key)
}
