"""Keys of the widgets and the session state of the Runs page."""

from ui.kit.state_keys import StateKey


class Key(StateKey):
    """Keys without a prefix are parameters of the address, too."""

    RUNS_PART = "part"
    RUNS_CHOSEN = "runs"
    STUDY = "study"
    RUNS_TABLE = "runs_table"
    RUNS_CURVES = "runs_curves"
    RUNS_LOSSES = "runs_losses"
    RUN_NOTE = "runs_note"
    RUN_NOTE_FORM = "runs_note_form"
    RUN_NOTE_SAVE = "runs_note_save"
    RUN_DELETE = "runs_delete"
    RUN_MORE = "runs_more"
    RUN_CARD = "runs_card"
    RUN_EXPORT_FORMAT = "runs_export_format"
    RUN_EXPORT = "runs_export"
    RUN_EXPORTED = "runs_exported"
    STUDY_NAME = "studies_name"
    STUDY_DATASET = "studies_dataset"
    STUDY_RECIPE = "studies_recipe"
    STUDY_INIT = "studies_init"
    STUDY_NETWORKS = "studies_networks"
    STUDY_MINUTES = "studies_minutes"
    STUDY_START = "studies_start"
    STUDY_TRIALS = "studies_trials"
    STUDY_PLOT = "studies_plot"
    STUDY_FULL_NAME = "studies_full_name"
    STUDY_FULL = "studies_full"
