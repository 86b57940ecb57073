"""The JSON API: predictions and explanations over HTTP, with the same results as the command line.

`operations` says what there is; `api_routes` serves it, and `openapi_document` describes it for programs.
"""
