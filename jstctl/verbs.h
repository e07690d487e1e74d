/* The verbs, one file each. */
#ifndef JST_JSTCTL_VERBS_H
#define JST_JSTCTL_VERBS_H

#include "jstctl/verb.h"

verb_run check_run;
verb_run ddl_run;
verb_run docs_run;
verb_run preview_run;
verb_run topics_run;

#endif
