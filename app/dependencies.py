"""What a handler can name besides the document's parameters."""

from collections.abc import Callable
from datetime import datetime
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

from app.attempt_limits import AttemptLimiter, AttemptsOfClient
from app.provider_sign_in import ProviderSignIn, ProvidersOfCall
from contract.operations import Call, Operation
from kanban.changes import ActionContext
from kanban.store import Store
from kanban.values import Role, Scope
from kanban.webhooks import InvalidWebhookUrl
from usecases.board_access import BoardAccess
from usecases.quotas import NO_QUOTAS, QuotaLimits, Quotas
from usecases.text_counts import TextCounts
from usecases.text_limited_access import AddedText, TextLimitedAccess

if TYPE_CHECKING:
    from delivery.addresses import AddressPolicy


class UserPolicy(NamedTuple):
    """What the installation lets users do: sign up, become one by an invitation of a member, take so much of it.

    With `joining_takes_consent`, a stranger becomes a member only after they have agreed. `text_counts` has how much
    text users have, if that has a quota.
    """

    may_sign_up: bool = False
    members_may_invite: bool = True
    quotas: QuotaLimits = NO_QUOTAS
    joining_takes_consent: bool = False
    text_counts: TextCounts | None = None


def build_dependencies(
    store: Store,
    now: Callable[[], datetime],
    new_id: Callable[[str], str],
    random_bytes: Callable[[int], bytes],
    *,
    policy: UserPolicy,
    webhook_policy: "AddressPolicy | None",
    attempts: AttemptLimiter,
    providers: ProviderSignIn,
) -> dict[str, Callable[[Call], Any]]:
    """Return, for each name that a handler's parameter may have, the function that makes its value for a call.

    `now` returns the present time in whole seconds. Without a policy, webhooks reach public addresses only. `attempts`
    counts the wrong codes of all clients.
    """
    text_counts = policy.text_counts
    quotas = Quotas(store, policy.quotas, text_counts)

    def build_access(call: Call) -> BoardAccess:
        return BoardAccess(store, call.caller, *read_permissions(call.operation))

    def build_limited_access(call: Call) -> BoardAccess:
        added_text = call.operation.extensions.get("x-tackboard-adds-text")
        if added_text is None or text_counts is None:
            return build_access(call)
        return TextLimitedAccess(
            store,
            call.caller,
            *read_permissions(call.operation),
            counts=text_counts,
            added_text=AddedText(added_text),
            body_bytes=len(call.request.body),
        )

    @cache
    def read_permissions(operation: Operation) -> tuple[Scope, Role]:
        extensions = operation.extensions
        return Scope(extensions["x-tackboard-scope"]), Role(extensions.get("x-tackboard-role", Role.VIEWER))

    def build_context(call: Call) -> ActionContext:
        caller, request_id = call.caller, call.request.context.request_id
        if caller is None:
            return ActionContext("", now(), new_id, None, request_id)
        return ActionContext(caller.user_id, now(), new_id, caller.token_id, request_id)

    def ensure_webhook_url(url: str) -> None:
        # Two operations need these, and AWS would load them at each start.
        from delivery.addresses import PUBLIC_ADDRESSES  # noqa: PLC0415
        from delivery.targets import InvalidTarget, validate_target  # noqa: PLC0415

        try:
            validate_target(url, webhook_policy or PUBLIC_ADDRESSES)
        except InvalidTarget as error:
            raise InvalidWebhookUrl(str(error)) from None

    return {
        "store": lambda _: store,
        "access": build_access if text_counts is None else build_limited_access,
        "caller": lambda call: call.caller,
        "context": build_context,
        "now": lambda _: now(),
        # A dry run returns no secret: its bytes are zeros.
        "random_bytes": lambda call: bytes if call.is_dry_run else random_bytes,
        "open_signup": lambda _: policy.may_sign_up,
        "providers": lambda call: ProvidersOfCall(providers, call),
        "members_may_invite_users": lambda _: policy.may_sign_up or policy.members_may_invite,
        "quotas": lambda _: quotas,
        "joining_takes_consent": lambda _: policy.joining_takes_consent,
        "attempts": lambda call: AttemptsOfClient(attempts, call.request.context.address),
        # A secret that is derived from zeros is that of no webhook.
        "webhook_key": lambda call: bytes(32) if call.is_dry_run else store.read_secret(),
        "ensure_webhook_url": lambda _: ensure_webhook_url,
    }
