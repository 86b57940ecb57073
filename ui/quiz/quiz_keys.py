"""Keys of the widgets and the session state of the Quiz page."""

from ui.kit.state_keys import StateKey


class Key(StateKey):
    """Keys without a prefix are parameters of the address, too."""

    SEED = "seed"
    QUESTION = "question"
    ANSWERS = "answers"
    QUIZ_PHOTO = "quiz_photo"
    QUIZ_OPTIONS = "quiz_options"
    QUIZ_OPTION = "quiz_option"
    QUIZ_HEAT = "quiz_heat"
    QUIZ_NEXT = "quiz_next"
    QUIZ_TO_SCORE = "quiz_to_score"
    QUIZ_LOOK_AGAIN = "quiz_look_again"
    QUIZ_ROWS = "quiz_rows"
    QUIZ_SAVE = "quiz_save"
    QUIZ_AGAIN = "quiz_again"
    QUIZ_VOTES = "quiz_votes"
    QUIZ_VOTED = "quiz_voted"
    QUIZ_UNCOUNTED = "quiz_uncounted"
