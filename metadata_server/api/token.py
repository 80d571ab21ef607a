"""Tokens on the wire."""

from __future__ import annotations

from mds.v1 import token_pb2, token_pb2_grpc

from metadata_server.api.calls import Context, caller_of, calling, tell_position
from metadata_server.api.messages.enums import ROLES
from metadata_server.api.messages.position import position_message
from metadata_server.api.messages.token import token_message, token_of
from metadata_server.api.standard import hash_of
from metadata_server.domain.access.token import COLLECTION, id_of
from metadata_server.services.access.tokens import Tokens


class TokensServicer(token_pb2_grpc.TokensServicer):
    """Tells who calls, and manages what they show."""

    def __init__(self, tokens: Tokens) -> None:
        self._tokens = tokens

    async def WhoAmI(
        self, request: token_pb2.WhoAmIRequest, context: Context
    ) -> token_pb2.WhoAmIResponse:
        caller = calling.get().principal
        reply = token_pb2.WhoAmIResponse(
            principal=caller.name,
            authenticated=caller.authenticated,
            role=ROLES.number[caller.role],
            program=caller.program,
        )
        if caller.token:
            told = (await self._tokens.get(caller.token)).value
            reply.token = f"{COLLECTION}/{caller.token}"
            if told.token.expire_time_us:
                reply.expire_time.FromMicroseconds(told.token.expire_time_us)
        return reply

    async def GetToken(
        self, request: token_pb2.GetTokenRequest, context: Context
    ) -> token_pb2.Token:
        answer = await self._tokens.get(id_of(request.name))
        tell_position(context, answer.position)
        return token_message(answer.value)

    async def ListTokens(
        self, request: token_pb2.ListTokensRequest, context: Context
    ) -> token_pb2.ListTokensResponse:
        answer = await self._tokens.page(
            principal=request.principal,
            active_only=request.active_only,
            size=request.page_size,
            token=request.page_token,
        )
        tell_position(context, answer.position)
        return token_pb2.ListTokensResponse(
            tokens=map(token_message, answer.value.tokens),
            next_page_token=answer.value.next_page_token,
            position=position_message(answer.position),
        )

    async def CreateToken(
        self, request: token_pb2.CreateTokenRequest, context: Context
    ) -> token_pb2.Token:
        caller = caller_of(context, "Tokens.CreateToken", request, hash_of(request))
        wanted = token_of(request.token)
        answer = await self._tokens.create(caller, wanted, validate_only=request.validate_only)
        tell_position(context, answer.position)
        return token_message(answer.value)

    async def RevokeToken(
        self, request: token_pb2.RevokeTokenRequest, context: Context
    ) -> token_pb2.Token:
        caller = caller_of(context, "Tokens.RevokeToken", request, hash_of(request))
        answer = await self._tokens.revoke(
            caller, id_of(request.name), validate_only=request.validate_only
        )
        tell_position(context, answer.position)
        return token_message(answer.value)
