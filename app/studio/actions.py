"""Names of what a notice can offer to do."""

RESTART_ENGINE = "restart_engine"
CONTINUE_QUEUE = "continue_queue"
TRY_AGAIN = "try_again"
SMALLER_BATCH = "smaller_batch"
TRAINED_SIZE = "trained_size"
SAVE_AGAIN = "save_again"
UNDO_RESTORE = "undo_restore"
UNDO_DROP = "undo_drop"
RESTORE_DELETED = "restore_deleted"
UNDO_PRESET = "undo_preset"
UNDO_HISTORY = "undo_history"
BEGIN_WITH = "begin_with"
<<<<<<< HEAD
SMALLER_COPY = "smaller_copy"
=======
COMPARE_SMALLER = "compare_smaller"
>>>>>>> ecd054d (compare: files against files; pictures are looked at before they are read; measures along the ladder)

# Done by the window, for they open something.
CHOOSE_OUTPUTS = "choose_outputs"
SHOW_FILE = "show_file"
READ_REPORT = "read_report"
SHOW_RUN = "show_run"
COMPARE_FOLDER = "compare_folder"
OPEN_FILE = "open_file"
