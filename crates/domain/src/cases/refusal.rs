//! How a transition says no: one small enum per action, each variant with a stable code. The sentences (Chinese, English) for the codes
//! live in the shell's text files; [`ALL_CODES`] lets a test there check that none is missing.

/// Declares the refusals of one action: an enum whose variants carry a stable code.
macro_rules! refusals {
    ($($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = $code:literal),* $(,)? })*) => {
        $(
            $(#[$doc])*
            #[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
            pub enum $name { $($(#[$vdoc])* #[error($code)] $variant),* }

            impl $name {
                /// The stable code of this refusal; its sentence is found under it.
                pub fn code(self) -> &'static str {
                    match self { $(Self::$variant => $code),* }
                }
            }

            impl From<$name> for &'static str {
                fn from(refusal: $name) -> &'static str { refusal.code() }
            }
        )*

        /// Every code a transition can refuse with (with repetitions: several actions share some).
        pub const ALL_CODES: &[&str] = &[$($($code),*),*];
    };
}

refusals! {
    /// Why a case is not accepted.
    AcceptRefusal { NotReceived = "case_not_received" }
    /// Why a case is not declined.
    DeclineRefusal {
        /// Promise 6: machines never refuse.
        NeedsAPerson = "decline_needs_a_person",
        TooLate = "decline_too_late",
    }
    /// Why a case's category is not changed.
    ClassifyRefusal { TooLate = "classify_too_late" }
    /// Why a case is not routed.
    RouteRefusal {
        NotWaiting = "case_not_waiting_for_dispatch",
        /// It came back as often as the pack allows: only an arbiter may place it now.
        ArbiterNeeded = "arbiter_needed",
        /// An arbiter placed it: that stands.
        DecisionIsFinal = "decision_is_final",
        IsCoHandler = "unit_is_co_handler",
    }
    /// Why a unit does not take a case.
    TakeRefusal { NotAssigned = "case_not_assigned", NotYourUnit = "not_your_unit" }
    /// Why a unit does not return a case.
    ReturnRefusal {
        NotHeld = "case_not_with_a_unit",
        NotYourUnit = "not_your_unit",
        DecisionIsFinal = "decision_is_final",
    }
    /// Why an arbiter does not place a case.
    ArbitrateRefusal {
        NotWaiting = "case_not_waiting_for_dispatch",
        NotNeeded = "arbiter_not_needed",
        IsCoHandler = "unit_is_co_handler",
    }
    /// Why no worker is named.
    AssignWorkerRefusal { NotHeld = "case_not_with_a_unit" }
    /// Why no co-handler is added.
    AddCoHandlerRefusal {
        NotHeld = "case_not_with_a_unit",
        IsLead = "unit_is_lead",
        AlreadyAsked = "unit_is_co_handler",
        TooMany = "too_many_co_handlers",
    }
    /// Why a co-handler's part is not finished or given back.
    CoHandlerRefusal {
        Unknown = "co_handler_unknown",
        NotOpen = "co_handler_not_open",
        NotYourUnit = "not_your_unit",
    }
    /// Why a request (extension, pause, parking) is not taken.
    AskRefusal {
        NotHandling = "case_not_in_handling",
        NotYourUnit = "not_your_unit",
        AlreadyAsked = "request_already_waiting",
        AlreadyPaused = "case_already_paused",
        TooManyExtensions = "too_many_extensions",
    }
    /// Why a request is not decided.
    DecideRefusal {
        Unknown = "request_unknown",
        AlreadyDecided = "request_already_decided",
        /// Approval is by someone other than the asker.
        OwnRequest = "own_request",
    }
    /// Why clocks are not resumed.
    ResumeRefusal { NotPaused = "case_not_paused" }
    /// Why a case is not taken off the shelf.
    UnparkRefusal { NotParked = "case_not_parked" }
    /// Why handling is not finished.
    HandleRefusal {
        NotHandling = "case_not_in_handling",
        NotYourUnit = "not_your_unit",
        CoHandlersOpen = "co_handlers_open",
        PhotoNeeded = "after_photo_needed",
        MediationNeeded = "mediation_outcome_needed",
    }
    /// Why an answer is not recorded.
    AnswerRefusal {
        NotHandled = "case_not_handled",
        HandlerAnswers = "handler_answers",
        GridWorkerAnswers = "grid_worker_answers",
        LiaisonAnswers = "liaison_answers",
        InPersonNeeded = "answer_in_person_needed",
        UnknownReport = "report_unknown",
    }
    /// Why a check is not recorded.
    VerifyRefusal {
        NotAnswered = "case_not_answered",
        /// Verification is never by the handler.
        OwnWork = "own_work",
    }
    /// Why a resident's confirmation is not taken.
    ConfirmRefusal { NotAnswered = "case_not_answered" }
    /// Why a case is not sent back to be done again.
    ReworkRefusal { NotDone = "case_not_handled" }
    /// Why a case is not closed.
    CloseRefusal {
        /// Promise 6: machines never close.
        NeedsAPerson = "close_needs_a_person",
        NotAnswered = "case_not_answered",
        NotVerified = "case_not_verified",
    }
    /// Why a case is not reopened.
    ReopenRefusal { NotClosed = "case_not_closed", TooLate = "reopen_too_late" }
    /// Why a case is not merged into another, or another into it.
    MergeRefusal {
        Itself = "merge_into_itself",
        TooLate = "merge_too_late",
        TargetTooLate = "merge_target_too_late",
    }
    /// Why a merge is not undone, or a report not taken out.
    SplitRefusal {
        NotMerged = "case_not_merged",
        NotOpen = "case_not_open",
        UnknownReport = "report_unknown",
        LastReport = "last_report",
    }
    /// Why a report is not withdrawn.
    WithdrawRefusal { TooLate = "withdraw_too_late", UnknownReport = "report_unknown" }
    /// Why a report does not join the case.
    JoinRefusal { TooLate = "merge_target_too_late", TooMany = "too_many_reports" }
    /// Why a case is not supervised, urged, or discussed in a meeting.
    OversightRefusal { NotOpen = "case_not_open" }
    /// Why a work order is not cancelled.
    CancelRefusal {
        Already = "order_already_cancelled",
        NotCarriedOut = "order_not_carried_out",
        NotFedBack = "order_not_fed_back",
        ProblemsOpen = "order_problems_open",
    }
    /// Why a work order is not taken back.
    TakeBackRefusal {
        Already = "order_already_cancelled",
        FedBack = "order_fed_back_already",
    }
    /// Why a mediation outcome is not recorded.
    MediateRefusal {
        NotHandling = "case_not_in_handling",
        NotYourUnit = "not_your_unit",
        IsCoHandler = "unit_is_co_handler",
    }
    /// Why a case is not passed on to another platform.
    PassOnRefusal {
        AwayAlready = "case_away",
        NotInHand = "case_not_in_hand",
        Dispute = "handover_dispute",
        CoHandlersOpen = "co_handlers_open",
    }
    /// Why a case is not given back to the platform it came from.
    HandBackRefusal { TooLate = "hand_back_too_late" }
    /// Why a message about a handover is not said.
    HandoverRefusal { NotYours = "handover_not_yours", NotNow = "handover_not_now" }
}
