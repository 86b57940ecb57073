"""Keys of the widgets and the session state of the Datasets page."""

from ui.kit.state_keys import StateKey


class Key(StateKey):
    """Keys without a prefix are parameters of the address, too."""

    DATASET = "dataset"
    SECTION = "section"
    DATASET_ADD = "datasets_add"
    DATASET_NEW = "datasets_new"
    DATASET_SYNTHETIC = "datasets_synthetic"

    ADD_SOURCE = "datasets_add_source"
    ADD_START = "datasets_add_start"
    ADD_DROPPED = "datasets_add_dropped"
    ADD_PHOTOS = "datasets_add_photos"
    ADD_CLASS = "datasets_add_class"
    ADD_ZIP = "datasets_add_zip"
    ADD_FOLDER = "datasets_add_folder"
    ADD_WORLD = "datasets_add_world"
    ADD_LAYOUT = "datasets_add_layout"
    SYNTHETIC_PER_CLASS = "datasets_synthetic_per_class"
    SYNTHETIC_SEED = "datasets_synthetic_seed"
    COLLECT_NAMES = "datasets_collect_names"
    COLLECT_LIST = "datasets_collect_list"
    COLLECT_PER_CLASS = "datasets_collect_per_class"
    COLLECT_TEMPLATES = "datasets_collect_templates"
    COLLECT_EXCLUDED = "datasets_collect_excluded"

    CHECK_START = "datasets_check_start"
    REVIEW_FINDINGS = "datasets_review_findings"
    CLASS_STRIP = "datasets_class_strip"
    CLASS_PAGES = "datasets_class_pages"
    CLASSES_CHART = "datasets_classes_chart"
    SIZES_CHART = "datasets_sizes_chart"
    SHAPES_CHART = "datasets_shapes_chart"
    REJECTS = "datasets_rejects"
    REJECTS_CSV = "datasets_rejects_csv"

    PHOTO_FILTER = "datasets_photo_filter"
    FINDING_KIND = "datasets_finding_kind"
    FINDING_ACCEPT = "datasets_finding_accept"
    SELECT_SMALLER = "datasets_select_smaller"
    SUGGESTIONS_APPLY = "datasets_suggestions_apply"
    CLASSES_MERGE = "datasets_classes_merge"
    CLASSES_APART = "datasets_classes_apart"

    MAP_CHART = "datasets_map_chart"
    MAP_SELECTED = "datasets_map_selected"
    MAP_COLOR_BY = "datasets_map_color_by"
    MAP_CLASSES = "datasets_map_classes"
    MAP_CLASS = "datasets_map_class"

    SPLIT_SHARES = "datasets_split_shares"
    SPLIT_VAL = "datasets_split_val"
    SPLIT_TEST = "datasets_split_test"
    SPLIT_SEED = "datasets_split_seed"
    SPLIT_CREATE = "datasets_split_create"
    LEAKS = "datasets_leaks"

    BATCH_PHOTOS = "datasets_batch_photos"

    EXPORT_CSV = "datasets_export_csv"
    EXPORT_ZIP = "datasets_export_zip"
    EXPORT_ZIP_DOWNLOAD = "datasets_export_zip_download"
    EXPORT_FOLDER = "datasets_export_folder"
    EXPORT_FOLDER_START = "datasets_export_folder_start"
