// The search shows the beginnings of the pages that it finds, which it reads from the site. Pages that
// were opened from files cannot read one another.
"use strict";

if (location.protocol === "file:") DOCUMENTATION_OPTIONS.SHOW_SEARCH_SUMMARY = false;
