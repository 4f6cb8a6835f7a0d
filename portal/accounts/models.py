"""Networks (tenants), users, their roles, groups and API tokens."""

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import Group, PermissionsMixin
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models.functions import Lower
from django.utils import timezone
from guardian.mixins import GuardianUserMixin

from portal.zones import time_zones

from .roles import Role


def validate_time_zone(value: str) -> None:
    """Refuse anything but an IANA zone that this machine knows."""
    if value not in time_zones():
        raise ValidationError(
            f"“{value}” is not a known time zone; use an IANA name such as America/Denver.", code="unknown_time_zone"
        )


class Network(models.Model):
    """The tenant: one company with its own users, advertisers, campaigns, numbers and limits."""

    name = models.CharField(max_length=200, unique=True)
    time_zone = models.CharField(max_length=64, default="America/New_York", validators=[validate_time_zone])
    country = models.CharField(max_length=2, default="US", help_text="How caller numbers without + are read.")
    currency = models.CharField(max_length=3, default="USD")
    concurrent_call_caps_enabled = models.BooleanField(
        "concurrent call caps (Enterprise package)",
        default=True,
        help_text="Off: the cap is hidden and not enforced; stored values stay.",
    )
    auto_generate_ids = models.BooleanField(
        default=True, help_text="Make up the customer's own id (id_from_network) where none is given."
    )
    call_fee_per_minute = models.DecimalField(
        max_digits=8, decimal_places=4, default=0, help_text="Added to a budget cap's use where it includes call fees."
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ["name"]
        constraints = [
            models.CheckConstraint(condition=models.Q(call_fee_per_minute__gte=0), name="network_call_fee_not_negative")
        ]

    def __str__(self) -> str:
        return self.name


class UserManager(BaseUserManager["User"]):
    """Users are found by e-mail, whatever its letter case."""

    def get_by_natural_key(self, username: str | None) -> "User":
        return self.get(email__iexact=username)

    def create_user(self, email: str, password: str | None = None, **fields: object) -> "User":
        """Create a user who signs in with `email`; without a password he must reset it first."""
        user = self.model(email=self.normalize_email(email).lower(), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: object) -> "User":
        """Create platform staff with every right (`manage.py createsuperuser`)."""
        return self.create_user(email, password, is_superuser=True, is_platform_staff=True, **fields)


class User(GuardianUserMixin, AbstractBaseUser, PermissionsMixin):
    """A person, or the identity that an integration acts as. Signs in by e-mail."""

    email = models.EmailField(unique=True)
    name = models.CharField(max_length=200, blank=True)
    is_active = models.BooleanField(default=True)
    is_platform_staff = models.BooleanField(
        "platform staff", default=False, help_text="Stands above networks: contracts, network limits, every network."
    )
    date_joined = models.DateTimeField(default=timezone.now, editable=False)
    networks = models.ManyToManyField(Network, through="Membership", related_name="users")

    objects = UserManager()

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS = []

    class Meta:
        ordering = ["email"]
        constraints = [models.UniqueConstraint(Lower("email"), name="user_email_any_case")]

    def __str__(self) -> str:
        return self.name or self.email

    @property
    def is_staff(self) -> bool:
        """Whether the admin lets this user in; what he sees there is decided per object (`access.restrict`)."""
        return self.is_active

    @property
    def roles(self) -> dict[int, int]:
        """The user's role per network id, read once per instance (a request is short; a changed role counts at the next).

        None at all while his account is closed.
        """
        if not hasattr(self, "_roles"):
            self._roles = dict(self.memberships.values_list("network_id", "role")) if self.is_active else {}
        return self._roles


class Membership(models.Model):
    """A user's role in a network."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="memberships")
    network = models.ForeignKey(Network, on_delete=models.CASCADE, related_name="memberships")
    role = models.PositiveSmallIntegerField(choices=Role)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ["-role", "user__email"]
        constraints = [
            models.UniqueConstraint(fields=["user", "network"], name="membership_one_role_per_network"),
            models.CheckConstraint(condition=models.Q(role__in=Role.values), name="membership_known_role"),
        ]

    def __str__(self) -> str:
        return f"{self.user}: {self.get_role_display()} of {self.network}"


class NetworkGroup(Group):
    """A group of users of one network, to which grants are given. `Group.name` carries the network's id to stay unique."""

    network = models.ForeignKey(Network, on_delete=models.CASCADE, related_name="groups")
    label = models.CharField("name", max_length=100)

    class Meta:
        ordering = ["label"]
        constraints = [models.UniqueConstraint("network", Lower("label"), name="group_label_once_per_network")]

    def __str__(self) -> str:
        return self.label

    def save(self, *args: object, **kwargs: object) -> None:
        self.name = f"{self.network_id}:{self.label}"
        super().save(*args, **kwargs)  # type: ignore[arg-type]


class ApiToken(models.Model):
    """A key for the REST API that acts as its user. Only a digest is kept; the key is shown once."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="api_tokens")
    name = models.CharField(max_length=100, help_text="What uses it, such as “switch in Denver”.")
    prefix = models.CharField(
        max_length=12, editable=False, help_text="The key's first characters, to recognise it by."
    )
    digest = models.CharField(max_length=64, unique=True, editable=False)
    read_only = models.BooleanField(default=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    expires_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True, editable=False)
    last_used_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        ordering = ["-created_at"]
        verbose_name = "API token"

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}…)"

    @property
    def is_usable(self) -> bool:
        """Neither revoked nor expired."""
        return self.revoked_at is None and (self.expires_at is None or self.expires_at > timezone.now())
