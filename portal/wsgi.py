"""The web process."""

import os

from django.core.wsgi import get_wsgi_application

from portal.readiness import refuse_if_unfit

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
application = get_wsgi_application()
refuse_if_unfit()
