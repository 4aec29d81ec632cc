"""All settings, grouped under headings; every value from outside comes through `portal.env`."""

from pathlib import Path
from typing import Any

from csp.constants import NONCE, NONE, SELF

from portal import env, sealing

ENV = env.read()
BASE_DIR: Path = env.ROOT
VAR_DIR: Path = ENV.var_dir

# Process -------------------------------------------------------------------------------------------------
PROCESS_ROLE = ENV.process_role
DEBUG = ENV.debug
SECRET_KEY = ENV.secret_key.get_secret_value() if ENV.secret_key else "unset-checks-refuse-to-serve-with-it"
ALLOWED_HOSTS = [host.strip() for host in ENV.allowed_hosts.split(",") if host.strip()]
PUBLIC_URL = ENV.public_url.rstrip("/")
FAILPOINTS = ENV.failpoints

# Apps ----------------------------------------------------------------------------------------------------
# Workers that serve no page start without the admin's modules, which bring what only agents work with.
ADMIN = "django.contrib.admin" + (".apps.SimpleAdminConfig" if PROCESS_ROLE in ("apply", "sealer") else "")
INSTALLED_APPS = [
    "audit.apps.AuditConfig",
    "portal.apps.PortalConfig",
    "approvals.apps.ApprovalsConfig",
    "agents.apps.AgentsConfig",
    ADMIN,
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "csp",
    "django_htmx",
    "rest_framework",
    "drf_spectacular",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "portal.language.LanguageMiddleware",
    "portal.bounds.BoundsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "portal.workspace.WorkspaceMiddleware",
]

ROOT_URLCONF = "portal.urls"
WORKSPACE_URLCONF = "portal.workspace_urls"
WSGI_APPLICATION = "portal.wsgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

TEMPLATES: list[dict[str, Any]] = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "portal.workspace.context",
            ],
        },
    },
]

# Database ------------------------------------------------------------------------------------------------
# One alias; the sign-in is the role of this kind of process. Only migrations and test set-up are "owner".
DATABASES: dict[str, dict[str, Any]] = {
    "default": {
        "ENGINE": "django.db.backends.postgresql",
        **env.database_of(ENV.database_url),
        "USER": ENV.user_of(PROCESS_ROLE),
        "PASSWORD": ENV.password_of(PROCESS_ROLE),
        "CONN_MAX_AGE": 60,
        # A worker learns of a lost connection by its task, which is said again; a person must not see an error.
        "CONN_HEALTH_CHECKS": PROCESS_ROLE == "web",
        "OPTIONS": {
            "options": f"-c statement_timeout={ENV.statement_timeout_of(PROCESS_ROLE)} -c timezone=UTC",
            # Statements that come again are parsed and planned once per connection: half of the database's work.
            "server_side_binding": True,
            "prepare_threshold": 3,
        },
    },
}

# Log -----------------------------------------------------------------------------------------------------
LOG_SIGNING_KEY = ENV.log_signing_key  # the sealer's alone; a check refuses it elsewhere
LOG_SIGNING_KEY_OLD = ENV.log_signing_key_old  # so is this one; until the log goes on under the new key
ANCHOR_DIR: Path = ENV.anchor_dir or VAR_DIR / "anchors"
ANCHOR_GIT = ENV.anchor_git
ANCHOR_CLONE = VAR_DIR / "anchors-git"

# Personal values of the log: who writes seals with the public key, web alone opens them; a check refuses it elsewhere.
# The same for full transcripts of models: without its public key none is kept.
KEYS = VAR_DIR / "keys"
OPENS = PROCESS_ROLE == "web"
DATA_PUBLIC_KEY = ENV.data_public_key or sealing.kept(KEYS / "data" / "public")
DATA_PRIVATE_KEY = ENV.data_private_key or sealing.kept_private(KEYS / "data" / "private", given=OPENS)
VAULT_PUBLIC_KEY = ENV.vault_public_key or sealing.kept(KEYS / "vault" / "public")
VAULT_PRIVATE_KEY = ENV.vault_private_key or sealing.kept_private(KEYS / "vault" / "private", given=OPENS)

# Cache, sessions, messages of the broker ------------------------------------------------------------------
CACHES = {
    "default": {
        "BACKEND": "portal.cache.Cache",
        "LOCATION": ENV.redis_url or "redis://127.0.0.1:6379/0",
    },
}
SESSION_ENGINE = "django.contrib.sessions.backends.db"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_AGE = 12 * 60 * 60
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"

CELERY = {
    "broker_url": env.broker_of(ENV.redis_url) or "redis://127.0.0.1:6379/0",
    "broker_connection_retry_on_startup": True,
    "broker_connection_max_retries": None,
    "broker_transport_options": {"visibility_timeout": 300, "socket_timeout": 5, "socket_connect_timeout": 2},
    "result_backend": None,
    "task_ignore_result": True,
    "task_serializer": "json",
    "accept_content": ["json"],
    "task_acks_late": True,
    # Off on purpose: a task that kills its worker would loop without end; leases in the database recover it.
    "task_reject_on_worker_lost": False,
    "worker_prefetch_multiplier": 1,
    "task_time_limit": 45,
    "task_publish_retry": False,
    "task_default_queue": "apply",
    "timezone": "UTC",
    "worker_hijack_root_logger": False,
    "beat_schedule": {
        "relay": {
            "task": "approvals.tasks.relay",
            "schedule": 1.0,
            "options": {"queue": "apply"},
        },
        "sweep": {
            "task": "approvals.tasks.sweep",
            "schedule": 10.0,
            "options": {"queue": "apply"},
        },
        "notices": {
            "task": "approvals.tasks.tell",
            "schedule": 2.0,
            "options": {"queue": "apply"},
        },
        "notices-out": {
            "task": "approvals.tasks.send_notices",
            "schedule": 10.0,
            "options": {"queue": "apply"},
        },
        "notices-tidy": {
            "task": "approvals.tasks.tidy_notices",
            "schedule": 600.0,
            "options": {"queue": "apply"},
        },
        "retention": {
            "task": "agents.tasks.retain",
            "schedule": 3600.0,
            "options": {"queue": "apply"},
        },
        "begin-sweeps": {
            "task": "agents.tasks.begin_sweeps",
            "schedule": 60.0,
            "options": {"queue": "agents"},
        },
    },
}

# People --------------------------------------------------------------------------------------------------
AUTH_USER_MODEL = "portal.Person"
AUTHENTICATION_BACKENDS = [
    "portal.roles.RoleBackend",
    "allauth.account.auth_backends.AuthenticationBackend",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "/accounts/login/"
LOGIN_REDIRECT_URL = "/"
ACCOUNT_ADAPTER = "portal.roles.AccountAdapter"
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_PREVENT_ENUMERATION = True
ACCOUNT_RATE_LIMITS = {"login": "60/m/ip", "login_failed": "10/m/ip,5/300s/key"}
ACCOUNT_LOGOUT_REDIRECT_URL = "/accounts/login/"
# Signing in stays with the password; a code or a passkey comes beside it, never instead of it.
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = False
MFA_TOTP_ISSUER = "Countersign"
MFA_TOTP_TOLERANCE = 1
MFA_ALLOW_UNVERIFIED_EMAIL = True  # admins make the accounts: there is no sign-up that could squat on an address
MFA_ADAPTER = "portal.factors.Adapter"
MFA_FORMS = {"authenticate": "portal.factors.SignInForm", "reauthenticate": "portal.factors.AgainForm"}

# Mail ----------------------------------------------------------------------------------------------------
MAIL = env.mail_of(ENV.email_url.get_secret_value() if ENV.email_url else "")
EMAIL_BACKEND, EMAIL_FILE_PATH = MAIL.backend, MAIL.folder
EMAIL_HOST, EMAIL_PORT = MAIL.host, MAIL.port
EMAIL_HOST_USER, EMAIL_HOST_PASSWORD = MAIL.user, MAIL.password
EMAIL_USE_TLS, EMAIL_USE_SSL, EMAIL_TIMEOUT = MAIL.tls, MAIL.ssl, 10
DEFAULT_FROM_EMAIL = SERVER_EMAIL = ENV.email_from

# Language and time ---------------------------------------------------------------------------------------
LANGUAGE_CODE = "en-gb"
FORMAT_MODULE_PATH = "portal.formats"
LANGUAGES = [("en-gb", "English"), ("de", "Deutsch")]
LOCALE_PATHS = [BASE_DIR / "portal" / "locale"]
TIME_ZONE = "UTC"
USE_TZ = True
USE_I18N = True

# Static files --------------------------------------------------------------------------------------------
STATIC_URL = "/static/"
STATIC_ROOT = VAR_DIR / "static"
STATICFILES_DIRS = [BASE_DIR / "static"]
WHITENOISE_USE_FINDERS = True

# Browser hardening ---------------------------------------------------------------------------------------
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF, NONCE],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
        "base-uri": [NONE],
    },
}
X_FRAME_OPTIONS = "DENY"
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_SSL_REDIRECT = False
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = PUBLIC_URL.startswith("https://")
CSRF_COOKIE_HTTPONLY = True
CSRF_TRUSTED_ORIGINS = [PUBLIC_URL] if PUBLIC_URL else []
DATA_UPLOAD_MAX_MEMORY_SIZE = 2 * 1024 * 1024
DATA_UPLOAD_MAX_NUMBER_FIELDS = 300

# API -----------------------------------------------------------------------------------------------------
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["portal.api.callers.TokenAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["portal.api.callers.HasScope"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["portal.api.bodies.StrictJSON"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "portal.api.problems.handle",
    "UNAUTHENTICATED_USER": None,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Countersign",
    "DESCRIPTION": "Tickets in; cases, proposals, runs and entries out; decisions as a person.",
    "VERSION": "1",
    "OAS_VERSION": "3.1.1",
}

# Logging -------------------------------------------------------------------------------------------------
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"()": "portal.logs.Scrubbed"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["stderr"], "level": "INFO"},
    # What they say of each call may quote what was sent or answered; attempts and their endings are on the log.
    "loggers": {name: {"level": "WARNING"} for name in ("httpx2", "httpcore2", "openai", "stripe")},
}
