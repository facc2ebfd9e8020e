"""The pages of reports: their content, and the templates that lay it out."""
