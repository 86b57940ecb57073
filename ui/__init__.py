"""What pages share: widgets, words, figures, keys of the session's state and everything Streamlit caches."""
