"""The pages' views: one folder per page, and the kit that the pages share."""
