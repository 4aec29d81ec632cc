"""Which tests stand for which fault of the design; some races have theirs beside the module they are about."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Case:
    """A fault by its number: its name, and the pytest nodes that try it."""

    title: str
    nodes: tuple[str, ...]


DELIVERY, REDIS = "tests/faults/test_delivery.py::test_", "tests/faults/test_redis_dies.py::test_"
POSTGRES, OUTSIDE = "tests/faults/test_postgres_dies.py::test_", "tests/faults/test_outside_dies.py::test_"
DIFFER, SEALER = "tests/faults/test_workers_differ.py::test_", "tests/faults/test_sealer_dies.py::test_"
MODELS, TAMPERING = "tests/agents/test_", "tests/faults/test_tampering.py::test_"
ROUTES, ATTACKED = "tests/house/test_routes.py::test_", "tests/portal/test_web_under_attack.py::test_"
WEB, PORTAL = "tests/faults/test_web.py::test_", "tests/portal/test_"
BESIDE, AGAIN = "tests/approvals/test_", "tests/approvals/test_second_thoughts.py::test_"

CASES: dict[int, Case] = {
    1: Case(
        "a worker killed before, between and after each commit of apply",
        (
            f"{DELIVERY}01_a_worker_killed_at_each_point_of_a_write_to_our_own_books",
            f"{OUTSIDE}01_a_worker_killed_at_each_point_of_a_call_to_each_kind_of_outside_system",
        ),
    ),
    2: Case(
        "the whole group of workers killed",
        (
            f"{DELIVERY}02_the_whole_group_of_workers_killed_at_once",
            f"{OUTSIDE}02_the_whole_group_of_workers_killed_in_the_middle_of_their_calls",
        ),
    ),
    3: Case("web dies between commit and message", (f"{DELIVERY}03_web_dies_between_its_commit_and_the_message",)),
    4: Case("the same message five times in parallel", (f"{DELIVERY}04_the_same_message_five_times_at_once",)),
    5: Case("a message for a row that was rolled back", (f"{DELIVERY}05_a_message_for_a_row_that_was_rolled_back",)),
    6: Case(
        "work that kills its worker",
        (
            f"{DELIVERY}06_work_that_kills_its_worker_dies_alone",
            f"{BESIDE}outbox.py::test_dead_work_is_not_repeated_until_a_person_lets_it",
        ),
    ),
    7: Case("Redis killed without its file", (f"{REDIS}07_redis_killed_without_its_file_with_200_queued",)),
    8: Case("Redis frozen for 60 s", (f"{REDIS}08_redis_frozen_for_a_minute",)),
    9: Case("Redis restarted five times under load", (f"{REDIS}09_redis_restarted_five_times_under_load",)),
    10: Case(
        "PostgreSQL stopped hard every 5-20 s",
        (f"{POSTGRES}10_postgresql_stopped_hard_while_300_are_approved_and_applied",),
    ),
    11: Case(
        "connections exhausted, disk full",
        (
            f"{POSTGRES}11_no_connection_left_is_503_and_nothing_half_done",
            f"{POSTGRES}11_a_full_disk_is_503_and_recovers_by_itself",
        ),
    ),
    12: Case("deadlock by opposite order", (f"{POSTGRES}12_a_deadlocks_victim_is_done_once_more",)),
    13: Case(
        "a provider that fails in every way",
        (
            f"{OUTSIDE}13_every_way_in_which_a_provider_can_fail",
            f"{BESIDE}sending.py::test_a_lost_answer_is_made_up_for_by_the_same_key",
            f"{BESIDE}sending.py::test_a_stored_failure_without_effect_fails_once_that_is_certain",
            f"{BESIDE}sending.py::test_where_nobody_can_say_a_manager_does",
        ),
    ),
    14: Case(
        "a key older than its lifetime", (f"{BESIDE}sending.py::test_an_old_key_is_looked_up_before_anything_else",)
    ),
    15: Case("a worker's clock two hours off", (f"{DIFFER}15_a_worker_whose_clock_is_two_hours_off_changes_nothing",)),
    16: Case(
        "a worker frozen past its lease",
        (
            f"{OUTSIDE}16_a_worker_frozen_past_its_lease_is_fenced",
            f"{OUTSIDE}16_a_worker_frozen_past_its_lease_does_not_even_call_one_that_knows_no_keys",
        ),
    ),
    17: Case(
        "an old worker meets a newer message",
        (
            f"{DIFFER}17_an_old_worker_gives_back_a_message_of_a_newer_version",
            f"{DIFFER}17_a_task_that_an_old_worker_has_never_heard_of_stays_due",
        ),
    ),
    18: Case(
        "the kill switch with 200 approved, 20 in flight",
        (f"{OUTSIDE}18_the_kill_switch_with_200_approved_and_20_in_flight",),
    ),
    19: Case(
        "the sealer killed, two sealers",
        (
            f"{SEALER}19_the_sealer_killed_in_the_middle_of_a_seal",
            f"{SEALER}19_the_sealer_killed_again_and_again_and_two_at_once",
            f"{SEALER}19_a_sealer_that_stands_still_loses_its_place_and_comes_back",
            f"{SEALER}19_the_database_crashes_under_the_sealer",
            f"{OUTSIDE}19_what_goes_out_waits_while_no_sealer_works_and_goes_once_it_is_back",
        ),
    ),
    20: Case(
        "two approvers at once", (f"{BESIDE}races.py::test_two_approvers_at_once_one_wins_and_the_other_is_told",)
    ),
    21: Case(
        "approve against reject, edit, withdraw; stop against dispatch, 500 times",
        (
            f"{BESIDE}races.py::test_approve_against_another_decision_leaves_exactly_one_of_them",
            f"{BESIDE}races.py::test_stop_against_dispatch_is_decided_by_one_row_lock",
        ),
    ),
    22: Case(
        "double click, Back, two tabs",
        (
            f"{BESIDE}races.py::test_a_double_click_is_one_vote",
            f"{AGAIN}back_and_a_second_tab_are_one_vote",
        ),
    ),
    23: Case(
        "20 claimers of 500 items",
        (
            f"{BESIDE}claim_next.py::test_twenty_claimers_of_five_hundred_items_take_each_exactly_once",
            f"{BESIDE}claim_next.py::test_one_person_at_many_pages_at_once_still_holds_three",
        ),
    ),
    24: Case("100 abandoned claims", (f"{BESIDE}claim_next.py::test_a_hundred_abandoned_claims_lose_no_item",)),
    25: Case(
        "the target edited, deleted or moved meanwhile",
        (
            f"{BESIDE}staleness.py::test_an_overlapping_change_is_found_at_approval",
            f"{BESIDE}staleness.py::test_an_overlapping_change_after_the_approval_is_found_at_dispatch",
            f"{BESIDE}staleness.py::test_an_equal_change_writes_nothing_and_says_so",
            f"{BESIDE}staleness.py::test_an_unrelated_change_is_taken_in_by_itself",
            f"{BESIDE}staleness.py::test_a_target_that_is_gone_is_stale_with_words_and_its_page_still_opens",
            f"{BESIDE}staleness.py::test_a_target_that_goes_after_the_approval_is_stale_at_dispatch",
        ),
    ),
    26: Case(
        "an edit after the first of two votes",
        (f"{AGAIN}an_edit_after_the_first_of_two_votes_dismisses_it",),
    ),
    27: Case(
        "self-approval, in service and database",
        (
            f"{BESIDE}never_counts.py::test_who_proposed_it_never_counts",
            f"{BESIDE}never_counts.py::test_who_edited_it_never_counts",
            f"{BESIDE}never_counts.py::test_whoever_the_refund_is_about_never_counts_however_the_address_is_written",
            f"{BESIDE}never_counts.py::test_whoever_the_contact_is_about_never_counts",
            f"{BESIDE}never_counts.py::test_whoever_looks_as_somebody_else_decides_nothing",
            f"{BESIDE}never_counts.py::test_service_identities_never_count",
            f"{BESIDE}never_counts.py::test_a_token_is_worth_what_its_person_may_and_no_presence",
            f"{BESIDE}second_wall.py::test_nobody_votes_on_what_they_proposed_or_edited",
        ),
    ),
    28: Case(
        "an approver demoted before dispatch",
        (f"{BESIDE}never_counts.py::test_who_was_demoted_since_does_not_count_at_dispatch",),
    ),
    29: Case(
        "policy tightened after the approval",
        (f"{AGAIN}policy_tightened_after_the_approval_stops_the_write",),
    ),
    30: Case(
        "a batch with changed, forged and foreign members",
        (
            f"{BESIDE}batches.py::test_a_batch_with_changed_forged_and_foreign_members_decides_only_what_stands",
            f"{BESIDE}batches.py::test_the_same_batch_posted_twice_counts_once",
        ),
    ),
    31: Case(
        "the sweeper twice, and after hours down",
        (
            f"{BESIDE}time.py::test_two_sweepers_at_once_say_and_end_each_thing_once",
            f"{BESIDE}time.py::test_after_hours_of_silence_all_that_passed_is_said_in_order_and_once",
        ),
    ),
    32: Case(
        "undo after a later edit, twice, of an undo, of a settled refund",
        (
            f"{BESIDE}undo.py::test_a_later_edit_between_start_and_gate_goes_to_a_person_and_nothing_is_written",
            f"{BESIDE}undo.py::test_a_later_edit_between_gate_and_apply_makes_the_undo_stale",
            f"{BESIDE}undo.py::test_a_second_undo_is_refused_while_the_first_waits_and_after_it",
            f"{BESIDE}undo.py::test_two_undos_at_once_are_one",
            f"{BESIDE}undo.py::test_an_undo_can_itself_be_undone_and_the_change_undone_again",
            f"{BESIDE}undo.py::test_an_undo_against_a_later_change_at_the_same_moment_loses_neither",
            f"{BESIDE}undo.py::test_a_refund_that_was_sent_has_no_undo_but_a_recovery_case",
        ),
    ),
    33: Case(
        "a planted item approved",
        tuple(
            f"{BESIDE}practice.py::test_33_{what}"
            for what in (
                "a_planted_item_approved_has_no_effect_and_none_can_exist",
                "nothing_leads_from_a_planted_item_to_a_book",
                "what_a_planted_item_shows_is_refused_at_the_door",
            )
        ),
    ),
    34: Case(
        "CSRF; a GET that changes something",
        (
            f"{ROUTES}get_requests_leave_nothing_behind",
            f"{ROUTES}no_post_counts_without_its_token",
            f"{PORTAL}sign_in.py::test_sign_in_posts_with_a_csrf_token_only",
        ),
    ),
    35: Case(
        "every route with every id of another workspace",
        tuple(
            f"{ROUTES}{what}"
            for what in (
                "every_id_of_another_workspace_answers_404_on_every_route",
                "no_fragment_shows_another_workspaces_rows",
                "no_field_of_a_form_or_an_address_reaches_another_workspaces_rows",
                "every_address_of_another_workspace_answers_404",
                "nobody_unsigned_gets_past_the_sign_in_page",
            )
        ),
    ),
    36: Case(
        "stored script, hx-* and svg in every field",
        (
            f"{ATTACKED}36_no_text_becomes_markup_on_any_page_or_fragment",
            "tests/journeys/test_every_page.py::test_36_stored_script_does_nothing_in_a_browser",
        ),
    ),
    37: Case(
        "unseen characters, look-alikes, NUL, half a character",
        (
            f"{ATTACKED}37_no_text_is_a_500_anywhere",
            f"{ATTACKED}37_nor_before_signing_in",
            f"{BESIDE}unseen_pages.py::test_no_page_shows_what_nobody_sees",
            f"{BESIDE}views.py::test_what_cannot_be_seen_is_spelled_out",
        ),
    ),
    38: Case(
        "50 MB, 10 MB, 10,000 deep, 1e309, doubled keys, 10,000 digits",
        (
            f"{WEB}38_a_body_without_measure_is_refused_within_a_second_in_flat_memory",
            "tests/api/test_api_tickets.py::test_a_body_that_is_off_gets_one_clear_error",
        ),
    ),
    39: Case(
        "formulas in exports",
        (
            f"{ATTACKED}39_no_cell_of_an_export_begins_a_formula",
            f"{BESIDE}explorer.py::test_a_cell_never_begins_a_formula",
        ),
    ),
    40: Case(
        "session fixation, a disabled person",
        (
            f"{WEB}40_a_session_that_somebody_fixed_is_nobodys",
            f"{PORTAL}sign_in.py::test_the_session_key_changes_at_sign_in",
            f"{PORTAL}sign_in.py::test_a_disabled_person_does_not_come_in_and_is_out_at_once",
        ),
    ),
    41: Case(
        "guessing and spraying",
        (
            f"{WEB}41_guessing_and_spraying_stop_and_nobody_else_does",
            f"{WEB}41_who_is_there_cannot_be_told_by_the_time_it_takes",
            f"{PORTAL}sign_in.py::test_guessing_at_one_person_is_stopped_from_everywhere_and_others_are_not",
            f"{PORTAL}sign_in.py::test_spraying_from_one_address_is_stopped_and_other_addresses_are_not",
            f"{PORTAL}sign_in.py::test_a_forged_header_is_no_other_address",
            f"{PORTAL}sign_in.py::test_wrong_password_unknown_and_disabled_people_look_the_same",
            f"{PORTAL}sign_in.py::test_a_reset_says_the_same_for_everybody",
            f"{PORTAL}stepup.py::test_new_challenges_are_no_more_tries",
        ),
    ),
    42: Case(
        "a proof used for another digest, late, or from another session",
        tuple(
            f"{PORTAL}stepup.py::test_{what}"
            for what in (
                "a_code_passes_it_and_the_proof_is_used_once",
                "it_counts_for_nothing_else",
                "it_is_worth_nothing_to_another_session_or_person",
                "five_minutes_after_asking_or_passing_it_is_over",
            )
        ),
    ),
    43: Case(
        "fields that no form asks for",
        (
            f"{ATTACKED}43_a_form_sets_no_more_than_it_asks_for",
            f"{BESIDE}views.py::test_a_field_that_the_schema_lacks_is_refused_and_the_input_kept",
        ),
    ),
    44: Case(
        "open redirect, forged host, cached fragments, framing",
        (
            f"{ATTACKED}44_no_address_leads_anywhere_else",
            f"{ATTACKED}44_signing_in_leads_nowhere_else",
            f"{ATTACKED}44_no_page_or_fragment_is_kept_or_framed",
            f"{WEB}44_a_forged_host_is_refused_and_named_nowhere",
            f"{PORTAL}sign_in.py::test_next_leads_only_inside",
        ),
    ),
    45: Case(
        "order, filters, slow patterns, paths, addresses inside the network",
        (
            f"{ATTACKED}45_no_order_and_no_filter_is_taken_from_an_address",
            f"{ATTACKED}45_no_pattern_is_slow",
            f"{ATTACKED}45_no_text_of_a_customer_is_slow_to_read",
            f"{ATTACKED}45_no_name_leads_out_of_its_folder",
            f"{ATTACKED}45_a_page_of_the_knowledge_base_comes_from_a_file_and_never_from_an_address",
            f"{WEB}45_no_path_leads_out_of_the_static_files",
            f"{PORTAL}admin.py::test_lists_ask_only_what_their_filters_ask",
            f"{PORTAL}egress.py::test_an_address_that_is_not_public_is_refused",
        ),
    ),
    46: Case(
        "line breaks and escape codes in logs",
        (
            f"{WEB}46_no_request_forges_or_hides_a_line_of_the_log",
            f"{PORTAL}logs.py::test_a_traceback_loses_it_too_and_forges_no_line",
        ),
    ),
    47: Case(
        "planted secrets and personal data in logs, traces, error pages, exports",
        (
            f"{MODELS}private.py::test_a_model_request_holds_none",
            f"{MODELS}private.py::test_a_transcript_holds_none",
            f"{MODELS}private.py::test_log_lines_hold_none_even_where_an_error_quotes_the_ticket",
            f"{MODELS}private.py::test_47_error_pages_and_exports_hold_none",
            f"{MODELS}spans.py::test_one_trace_of_spans_leads_from_intake_to_the_write_and_holds_no_text",
        ),
    ),
    48: Case(
        "a state changed in admin, shell, loaddata, raw SQL",
        (
            f"{PORTAL}admin.py::test_records_of_work_cannot_be_edited",
            f"{WEB}48_no_state_is_changed_in_a_shell",
            f"{WEB}48_no_state_is_loaded_from_a_fixture",
            f"{BESIDE}transition.py::test_raw_sql_without_an_entry_is_refused",
            f"{BESIDE}transition.py::test_web_with_a_forged_entry_is_refused",
            f"{BESIDE}transition.py::test_apply_alone_cannot_approve_what_nobody_voted_for",
        ),
    ),
    49: Case(
        "the injection corpus in ticket, page, name and tool output",
        tuple(
            f"tests/agents/test_under_attack.py::test_49_hostile_text_{where}"
            for where in (
                "in_a_ticket_changes_nothing_and_is_flagged",
                "on_a_policy_page_changes_nothing",
                "in_a_name_changes_nothing",
                "in_what_a_tool_gives_changes_nothing",
                "in_a_contact_is_no_order_to_change_another_field",
            )
        ),
    ),
    50: Case(
        "bad forms, cap + 1 and a cap split over ten proposals, whoever submits",
        tuple(
            f"{BESIDE}gate_attacked.py::test_50_{what}"
            for what in (
                "extra_and_wrong_fields_become_no_refund_whoever_submits",
                "what_is_no_draft_at_all_goes_to_a_person_whoever_submits",
                "one_more_than_the_cap_is_nothing_an_agent_may_propose_and_never_one_persons_to_approve",
                "a_cap_split_over_ten_proposals_stays_the_cap",
            )
        ),
    ),
    51: Case(
        "a citation that does not exist or may not be read",
        (
            f"{BESIDE}citations.py::test_51_a_citation_that_does_not_exist_may_not_be_read_or_does_not_say_it"
            "_goes_to_a_person",
            f"{BESIDE}citations.py::test_51_what_no_tool_gave_is_not_cited",
        ),
    ),
    52: Case(
        "a page edited after it was read",
        (
            f"{BESIDE}citations.py::test_52_a_page_edited_after_it_was_read_goes_to_a_person",
            f"{BESIDE}citations.py::test_52_a_page_taken_back_after_it_was_read_goes_to_a_person",
        ),
    ),
    53: Case(
        "a model that hangs, drips, streams without end, loops over tools",
        (
            f"{MODELS}gateway_triage.py::test_whatever_a_server_does_the_run_ends_and_a_person_gets_the_case",
            f"{MODELS}gateway_triage.py::test_a_server_that_drips_is_cut_off_at_the_deadline",
            f"{MODELS}gateway_triage.py::test_an_answer_without_end_is_cut_off_by_its_size",
        ),
    ),
    54: Case(
        "the second model disagrees or is down",
        (
            f"{MODELS}second_look.py::test_who_doubts_or_does_not_answer_raises_a_flag",
            f"{MODELS}second_look.py::test_who_objects_stops_it_and_a_person_has_what_was_drafted",
            f"{MODELS}second_look.py::test_a_flagged_draft_never_passes_by_itself",
        ),
    ),
    55: Case(
        "an agent's credential expired, for another workspace, of another agent",
        (
            "tests/agents/test_credentials.py::test_55_a_run_is_a_credential_for_its_agent_its_case_and_its_lease_alone",
            "tests/agents/test_credentials.py::test_55_a_run_of_another_workspace_is_none",
            "tests/agents/test_credentials.py::test_55_a_token_is_good_where_it_was_made_until_it_is_revoked",
        ),
    ),
    56: Case(
        "a thousand findings at once",
        ("tests/faults/test_sweep_floods.py::test_56_a_thousand_findings_at_once_are_throttled_and_others_go_on",),
    ),
    57: Case(
        "a superuser changes each column, deletes, swaps, forges, cuts off, signs anew",
        tuple(
            f"{TAMPERING}57_{what}"
            for what in (
                "the_log_is_sound_before_anything_is_changed",
                "every_column_of_every_table_is_known",
                "a_column_that_was_changed_is_found_and_named",
                "what_is_not_found_means_nothing_and_is_told",
                "a_row_that_was_deleted_is_found",
                "what_was_deleted_swapped_or_forged_is_found",
                "what_was_signed_by_another_key_is_found",
                "the_owner_of_the_key_rewrites_what_no_anchor_saw_and_nothing_else",
            )
        ),
    ),
    58: Case(
        "triggers off, an old dump restored",
        tuple(
            f"{TAMPERING}58_{what}"
            for what in (
                "a_log_that_was_cut_off_is_found_by_its_age_and_by_anchors",
                "an_old_dump_that_was_restored_is_found",
                "a_trigger_that_is_off_is_named",
                "a_trigger_that_is_gone_is_named",
                "a_trigger_whose_function_was_replaced_is_named",
            )
        ),
    ),
    59: Case(
        "a subject erased: it still verifies, a dictionary finds nothing",
        (
            f"{MODELS}erasing.py::test_59_no_dictionary_finds_an_address_among_the_commitments",
            f"{MODELS}erasing_told.py::test_59_the_command_erases_tells_counts_and_the_bundle_still_verifies",
        ),
    ),
    60: Case("eight writers out of order", (f"{SEALER}60_eight_writers_out_of_order_for_half_a_minute",)),
    61: Case(
        "retention killed midway, run twice",
        (f"{MODELS}retention.py::test_61_killed_midway_and_run_twice_the_counts_are_right_and_all_verifies",),
    ),
    62: Case(
        "trees of 0 to 64 leaves, all proofs, mutated ones",
        tuple(
            f"tests/audit/test_tree.py::test_{what}"
            for what in (
                "roots_are_those_of_another_implementation",
                "every_inclusion_proof_is_that_of_another_implementation",
                "every_proof_of_both_kinds_is_that_of_another_implementation",
                "every_proof_convinces_another_verifier",
                "every_inclusion_proof_holds_and_no_mutated_one_does",
                "every_consistency_proof_holds_and_no_mutated_one_does",
            )
        ),
    ),
    63: Case(
        "100,000 entries verified in under 5 s, a million in flat memory",
        ("tests/faults/test_verifier_size.py::test_63_a_hundred_thousand_entries_in_five_seconds_and_flat_memory",),
    ),
}
# Random events by random actors, with workers that die and come back.
STORIES = "tests/faults/test_stories.py::test_no_story_of_dying_workers_ends_in_a_second_or_an_unknown_effect"
