"""Applications, database, cache, broker, authentication, security."""

from datetime import timedelta

from celery.schedules import crontab

from .env import BASE_DIR, EMBEDDED, VAR_DIR, env

HEADROOM_EMBEDDED = EMBEDDED
HEADROOM_VAR = VAR_DIR
DEBUG = env.bool("DEBUG", False)
# An empty key is refused by Django at the first use and named by `portal.accounts.checks` at start.
SECRET_KEY = env.str("SECRET_KEY", "")
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", ["localhost", "127.0.0.1", "[::1]"] if EMBEDDED else [])
CSRF_TRUSTED_ORIGINS: list[str] = env.list("CSRF_TRUSTED_ORIGINS", [])

INSTALLED_APPS = [
    "unfold",
    "unfold.contrib.filters",
    "unfold.contrib.forms",
    "unfold.contrib.guardian",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "django.contrib.postgres",
    "guardian",
    "pgtrigger",
    "pghistory",
    "rest_framework",
    "django_filters",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "drf_standardized_errors",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "django_prometheus",
    "django_structlog",
    "portal.accounts",
    "portal.audit",
    "portal.notices",
    "portal.hooks",
    "portal.api",
    "portal.web",
    "portal.runtime",
    "campaigns",
    "promo_numbers",
    "outbound",
]

MIDDLEWARE = [
    "django_prometheus.middleware.PrometheusBeforeMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "portal.web.middleware.RequestIdMiddleware",
    "portal.api.middleware.FastPathMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "portal.accounts.middleware.CurrentNetworkMiddleware",
    "portal.api.request_log.RequestLogMiddleware",
    "django_prometheus.middleware.PrometheusAfterMiddleware",
]

ROOT_URLCONF = "portal.urls"
WSGI_APPLICATION = "portal.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "portal.web.context.portal",
                "portal.notices.context.bell",
            ]
        },
    }
]

# Persistent connections: measured 1.5x faster than psycopg's pool and 10x faster than one connection per request.
DATABASES = {
    "default": env.dj_db_url("DATABASE_URL", "postgres:///headroom", conn_max_age=None, conn_health_checks=True)
}
# For the routing statements alone: the ORM's cursors bind on the client and prepare nothing. Django's default, None, is for
# poolers that cannot keep prepared statements: DATABASE_PREPARE=0 (PgBouncer before 1.21).
DATABASES["default"].setdefault("OPTIONS", {})["prepare_threshold"] = 5 if env.bool("DATABASE_PREPARE", True) else None
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

BROKER_URL = env.str("BROKER_URL", "redis://localhost:6379/0")
# The cache keeps rate limits and nothing else that matters; without an URL of its own it shares a Redis-compatible broker.
CACHE_URL = env.str("CACHE_URL", BROKER_URL if BROKER_URL.startswith(("redis", "unix")) else "")
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": CACHE_URL,
        "KEY_PREFIX": "headroom",
    }
    if CACHE_URL
    else {"BACKEND": "django.core.cache.backends.db.DatabaseCache", "LOCATION": "portal_cache"}
}

CELERY_BROKER_URL = BROKER_URL
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_TIMEZONE = "UTC"
# Every periodic task is safe to run twice and to miss: each looks at the rows, not at the clock tick that woke it.
CELERY_BEAT_SCHEDULE = {
    "sweep-expired-slots": {"task": "campaigns.tasks.sweep_expired_slots", "schedule": 5.0, "options": {"expires": 30}},
    "reconcile-live-counts": {
        "task": "campaigns.tasks.reconcile_live_counts",
        "schedule": 60.0,
        "options": {"expires": 60},
    },
    "price-legs": {"task": "campaigns.tasks.price_legs", "schedule": 5.0, "options": {"expires": 10}},
    "roll-up-last-days": {"task": "campaigns.tasks.roll_up_last_days", "schedule": crontab(hour="3", minute="37")},
    "check-alerts": {"task": "campaigns.tasks.check_alerts", "schedule": 30.0, "options": {"expires": 60}},
    "reconcile-flows": {"task": "campaigns.tasks.reconcile_flows", "schedule": 60.0, "options": {"expires": 60}},
    "forget-keys": {"task": "campaigns.tasks.forget_keys", "schedule": crontab(hour="2", minute="47")},
    "send-flow-messages": {"task": "campaigns.tasks.send_flow_messages", "schedule": 10.0, "options": {"expires": 60}},
    "pause-due-campaigns": {
        "task": "campaigns.tasks.pause_due_campaigns",
        "schedule": 60.0,
        "options": {"expires": 60},
    },
    "roll-up-hours": {"task": "campaigns.tasks.roll_up_hours", "schedule": 60.0, "options": {"expires": 60}},
    # Twice, in case a night is missed; the second run finds nothing to do.
    "roll-up-number-days": {
        "task": "promo_numbers.tasks.roll_up_number_days",
        "schedule": crontab(hour="0,6", minute="12"),
    },
    "send-mails": {"task": "portal.notices.tasks.send_mails", "schedule": 60.0, "options": {"expires": 60}},
    "send-webhooks": {"task": "portal.hooks.tasks.send_deliveries", "schedule": 10.0, "options": {"expires": 20}},
    "clear-webhooks": {"task": "portal.hooks.tasks.clear_deliveries", "schedule": crontab(hour="4", minute="27")},
    "take-over-number-imports": {
        "task": "promo_numbers.tasks.take_over_number_imports",
        "schedule": 30.0,
        "options": {"expires": 30},
    },
    "sum-up-pools": {"task": "promo_numbers.tasks.sum_up_pools", "schedule": 60.0, "options": {"expires": 60}},
    "scale-pools": {"task": "promo_numbers.tasks.scale_pools", "schedule": 300.0, "options": {"expires": 300}},
    "clean-pools": {"task": "promo_numbers.tasks.clean_pools", "schedule": crontab(hour="5", minute="23")},
    "clear-sessions": {"task": "portal.accounts.tasks.clear_expired", "schedule": crontab(hour="4", minute="17")},
    "clear-idempotency-keys": {
        "task": "portal.api.tasks.clear_idempotency_keys",
        "schedule": crontab(minute="41"),
        "options": {"expires": 3600},
    },
}

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = [
    "allauth.account.auth_backends.AuthenticationBackend",
    "portal.accounts.backends.RoleAndGrantBackend",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]
# Guardian: no anonymous user, and no grant may be read around the one backend (docs/permissions.md).
ANONYMOUS_USER_NAME = None
GUARDIAN_AUTO_PREFETCH = False
SILENCED_SYSTEM_CHECKS = ["guardian.W001"]  # its backend is left out on purpose: RoleAndGrantBackend reads the grants

LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/"
ACCOUNT_ADAPTER = "portal.accounts.adapter.ClosedSignupAdapter"
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*", "password2*"]
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_RATE_LIMITS = {"login": "30/m/ip", "login_failed": "10/m/ip,5/5m/key"}
ACCOUNT_PREVENT_ENUMERATION = True
# Behind a proxy every visitor would have the proxy's address, and one clumsy visitor would lock all out.
ALLAUTH_TRUSTED_PROXY_COUNT = 1 if env.bool("TRUST_PROXY", False) else 0
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_TOTP_ISSUER = "Headroom"
# WebAuthn refuses plain http; on a laptop there is nothing else.
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = EMBEDDED

# submission://user:password@host (587, STARTTLS), smtps://… (465) or smtp://…
_email = env.dj_email_url("EMAIL_URL", "console:")
EMAIL_BACKEND = _email["EMAIL_BACKEND"]
EMAIL_HOST = _email["EMAIL_HOST"] or "localhost"
EMAIL_PORT = _email["EMAIL_PORT"] or 25
EMAIL_HOST_USER = _email["EMAIL_HOST_USER"] or ""
EMAIL_HOST_PASSWORD = _email["EMAIL_HOST_PASSWORD"] or ""
EMAIL_USE_TLS = _email["EMAIL_USE_TLS"]
EMAIL_USE_SSL = _email["EMAIL_USE_SSL"]
EMAIL_TIMEOUT = 20
# Where the portal is reached: mails lead there, and suppliers and carriers call back there.
PORTAL_URL = env.str("PORTAL_URL", "http://localhost:8000" if EMBEDDED else "")
DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", "Headroom <headroom@localhost>")

LANGUAGE_CODE = "en-us"
TIME_ZONE = "UTC"
USE_TZ = True

STATIC_URL = "/static/"
STATIC_ROOT = env.path("STATIC_ROOT", VAR_DIR / "static")
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}

# Bodies: the largest that any endpoint of today takes is far below this.
DATA_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024
DATA_UPLOAD_MAX_NUMBER_FIELDS = 5000

# Behind TLS unless it runs embedded on a laptop or the operator says otherwise.
HTTPS = env.bool("HTTPS", not EMBEDDED)
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
SECURE_SSL_REDIRECT = HTTPS
SECURE_HSTS_SECONDS = env.int("HSTS_SECONDS", 31536000 if HTTPS else 0)
SECURE_HSTS_INCLUDE_SUBDOMAINS = HTTPS
SECURE_HSTS_PRELOAD = HTTPS
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if env.bool("TRUST_PROXY", False) else None
SESSION_COOKIE_AGE = int(timedelta(days=7).total_seconds())
SESSION_COOKIE_SAMESITE = "Lax"
X_FRAME_OPTIONS = "DENY"

# Who may read /metrics from another machine (see portal.web.operations); empty = nobody.
METRICS_TOKEN = env.str("METRICS_TOKEN", "")

# Slots are leases (design, section 5). Seconds.
HEADROOM_SETUP_LEASE = env.int("SETUP_LEASE_SECONDS", 120)
HEADROOM_CALL_LEASE = env.int("CALL_LEASE_SECONDS", 3 * 3600)

# Where Twilio's REST API is asked; empty = Twilio's own address. For a proxy or a compatible carrier.
TWILIO_API_URL = env.str("TWILIO_API_URL", "")

# A released number is not handed out again for so long.
PROMO_NUMBER_REST_DAYS = env.int("PROMO_NUMBER_REST_DAYS", 45)

# What callers pressed in a call treatment is blanked after so long; the way that they took stays.
CALL_KEYS_KEPT_DAYS = env.int("CALL_KEYS_KEPT_DAYS", 30)
