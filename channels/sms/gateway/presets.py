"""Gateways whose protocol is published: their forms filled in, so that only credentials and names are missing.

Each follows the provider's own documentation as it stood in November 2026; where that leaves a thing open, the field is
empty. Whoever has a contract has the exact paper: every field can be changed.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from channels.sms.gateway.config import Body, Proof
from contact_center.core.i18n import mark

DOTTED = "\n".join


@dataclass(frozen=True, slots=True)
class Preset:
    """One gateway: its name, where its protocol is described, what is told beside the form, and the form's values."""

    name: str
    documentation: str
    hint: str
    values: Mapping[str, str] = field(default_factory=dict)


PRESETS: Mapping[str, Preset] = {
    "other": Preset(
        mark("Another gateway"),
        "",
        mark("Fill in what its documentation says. The test below shows the request before anything leaves."),
    ),
    "esms": Preset(
        "eSMS.vn",
        "https://developers.esms.vn/",
        mark(
            "User name is the ApiKey, password the SecretKey, the callback secret the PrivateKey of your short code. "
            "The account's address is your brand name; replies come in by the short code."
        ),
        {
            "method": "POST",
            "url": "https://rest.esms.vn/MainService.svc/json/SendMultipleMessage_V4_post_json/",
            "body_kind": Body.JSON,
            "body": """{
  "ApiKey": "{{user}}",
  "SecretKey": "{{password}}",
  "Phone": "{{to_national}}",
  "Content": "{{text}}",
  "Brandname": "{{from}}",
  "SmsType": "2",
  "IsUnicode": "{{accented}}",
  "RequestId": "{{reference}}",
  "CallbackUrl": "{{receipt_url}}"
}""",
            "ok_at": "CodeResult",
            # 124: a request of this RequestId was taken before.
            "ok_values": "100, 124",
            "id_at": "SMSID",
            "code_at": "CodeResult",
            "error_at": "ErrorMessage",
            "in_id": "smsid",
            "in_from": "sender",
            "in_text": "content",
            "receipt_id": "SMSID",
            "receipt_reference": "RequestId",
            "receipt_state": "SendStatus, SendSuccess",
            "states": DOTTED(["5 0 = failed", "5 * = delivered", "4 * = failed", "7 * = sent", "2 * = sent"]),
            "proof": Proof.DIGEST,
            "proof_at": "sign",
            "proof_text": "{{cpid}}{{smsid}}{{content}}{{receiverTime}}{{secret}}",
            "algorithm": "md5",
            "reply": "<ClientResponse><Message></Message><Smsid>{{smsid}}</Smsid>"
            "<Receiver>{{sender}}</Receiver></ClientResponse>",
        },
    ),
    "speedsms": Preset(
        "SpeedSMS.vn",
        "https://speedsms.vn/sms-api-service/",
        mark(
            "User name is the API access token, password the letter x. The account's address is your brand name; for "
            "another kind of sender change sms_type. Give the reports' address with ?token=… and the callback secret."
        ),
        {
            "method": "POST",
            "url": "https://api.speedsms.vn/index.php/sms/send",
            "headers": "Authorization: Basic {{basic}}",
            "body_kind": Body.JSON,
            "body": """{
  "to": ["{{to_digits}}"],
  "content": "{{text}}",
  "sms_type": 3,
  "sender": "{{from}}"
}""",
            "ok_at": "status",
            "ok_values": "success",
            "id_at": "data.tranId",
            "code_at": "code",
            "error_at": "message",
            "receipt_id": "tranId",
            "receipt_state": "status",
            "states": DOTTED(["0 = delivered", "1-63 = sent", "64- = failed"]),
            "proof": Proof.TOKEN,
            "proof_at": "token",
        },
    ),
    "viettel": Preset(
        "Viettel SMS Brandname (SOAP)",
        "http://viettelsolution.com.vn/san-pham/tai-lieu-tich-hop-tin-nhan-thuong-hieu-smsbrandname.77.html",
        mark(
            "User name and password are those of the bulk service; write your CPCode into the body. The account's "
            "address is your brand name. The service's address stands in your contract, and so does which of yours it "
            "lets in. It brings neither messages nor reports."
        ),
        {
            "method": "POST",
            "url": "https://ams.tinnhanthuonghieu.vn:8998/bulkapi",
            "headers": 'SOAPAction: ""',
            "body_kind": Body.XML,
            "body": """<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/"
    xmlns:impl="http://impl.bulkSms.ws/">
  <soapenv:Header/>
  <soapenv:Body>
    <impl:wsCpMt>
      <User>{{user}}</User>
      <Password>{{password}}</Password>
      <CPCode>CPCODE</CPCode>
      <RequestID>4</RequestID>
      <UserID>{{to_digits}}</UserID>
      <ReceiverID>{{to_digits}}</ReceiverID>
      <ServiceID>{{from}}</ServiceID>
      <CommandCode>bulksms</CommandCode>
      <Content>{{text}}</Content>
      <ContentType>{{accented}}</ContentType>
    </impl:wsCpMt>
  </soapenv:Body>
</soapenv:Envelope>""",
            "ok_at": "Envelope.Body.wsCpMtResponse.return.result",
            "ok_values": "1",
            "error_at": "Envelope.Body.wsCpMtResponse.return.message",
        },
    ),
}
