"""Every word that the widget shows, by the key its scripts use: English here, other languages by gettext."""

from collections.abc import Callable


def widget_texts(_: Callable[[str], str]) -> dict[str, str]:
    """Key -> text in the language of `_`; `key.one` and `key.other` are plural forms, `{n}` and names are filled in."""
    return {**_launcher(_), **_forms(_), **_conversation(_), **_composer(_), **_endings(_), **_line(_)}


def _launcher(_: Callable[[str], str]) -> dict[str, str]:
    return {
        "title": _("Chat with {name}"),
        "launcher": _("Open chat"),
        "launcher_unread.one": _("Open chat, {n} unread message"),
        "launcher_unread.other": _("Open chat, {n} unread messages"),
        "load_failed": _("The chat could not be loaded. Please check your connection."),
        "try_again": _("Try again"),
        "close": _("Close chat"),
        "menu": _("More"),
        "invitation": _("Message from {name}"),
        "invitation_close": _("Close this message"),
    }


def _forms(_: Callable[[str], str]) -> dict[str, str]:
    return {
        "greeting": _("How can we help?"),
        "greeting_more": _("Tell us what it is about. A person from our team answers here."),
        "name": _("Your name"),
        "email": _("Your e-mail"),
        "phone": _("Your phone number"),
        "choice": _("Topic"),
        "choose": _("Please choose"),
        "optional": _("optional"),
        "signed_in": _("Signed in as {name}"),
        "email_why": _("Only so that our answer reaches you if you leave this page."),
        "how_can_we_help": _("What is it about?"),
        "perhaps": _("Perhaps this helps"),
        "message": _("Your message"),
        "start": _("Start chat"),
        "closed": _("We are closed right now"),
        "closed_until": _("We are back {when}. Write to us now and we answer by e-mail."),
        "closed_more": _("Write to us now and we answer by e-mail."),
        "back_at": _("Back {when}"),
        "send_mail": _("Send message"),
        "mail_taken": _("Thank you, we have your message"),
        "mail_taken_more": _("Your number is #{number}. We answer to {email}."),
        "mail_failed": _("Your message could not be sent. Nothing is lost: please try again."),
        "need_name": _("Please tell us your name."),
        "need_email": _("Please enter an e-mail address like ann@example.com."),
        "need_text": _("Please write your question."),
        "need_phone": _("We cannot read this number. Please write it with its country, like +84 912 345 678."),
        "need_choice": _("Please choose what it is about."),
    }


def _conversation(_: Callable[[str], str]) -> dict[str, str]:
    return {
        "conversation": _("Conversation"),
        "agent": _("Customer service"),
        "you": _("You"),
        "said": _("{name}:"),
        "heard": _("{name} says: {text}"),
        "an_attachment": _("an attachment"),
        "today": _("Today"),
        "yesterday": _("Yesterday"),
        "earlier": _("Show earlier messages"),
        "new_messages.one": _("{n} new message"),
        "new_messages.other": _("{n} new messages"),
        "caught_up.one": _("Caught up: {n} new message"),
        "caught_up.other": _("Caught up: {n} new messages"),
        "types": _("{name} is typing"),
        "sending": _("Sending…"),
        "sent": _("Sent"),
        "seen": _("Seen"),
        "not_sent": _("Not sent: tap to retry"),
        "remove": _("Remove"),
        "we_answer_soon": _("We answer as soon as we can"),
        "next_in_line": _("You are next in line"),
        "place_in_line": _("You are number {position} in line"),
        "about_minutes.one": _("about {n} minute"),
        "about_minutes.other": _("about {n} minutes"),
        "answers_also_to": _("If you leave, our answer follows to {email}."),
        "leave_email": _("Get the answer by e-mail too"),
    }


def _composer(_: Callable[[str], str]) -> dict[str, str]:
    return {
        "write": _("Write a message"),
        "send": _("Send"),
        "attach": _("Attach a file"),
        "attachments": _("Attachments"),
        "attached": _("{name} is attached"),
        "uploading": _("Please wait until the files are uploaded, or remove them."),
        "upload_failed": _("{name} could not be uploaded"),
        "upload_failed_short": _("Not uploaded"),
        "upload_again": _("Upload {name} again"),
        "remove_file": _("Remove {name}"),
        "too_many_files": _("At most {limit} files in one message."),
        "too_big": _("{name} is too big: at most {limit}."),
        "bad_type": _("{name}: files of this kind cannot be sent here."),
    }


def _endings(_: Callable[[str], str]) -> dict[str, str]:
    return {
        "end": _("End conversation"),
        "end_sure": _("End this conversation? You can still have it sent to you by e-mail."),
        "cancel": _("Cancel"),
        "save": _("Save"),
        "ended": _("This conversation has ended"),
        "start_again": _("Start a new conversation"),
        "how_was_it": _("How did we do?"),
        "tap_a_star": _("Choose 1 to 5"),
        "poor": _("Poor"),
        "fair": _("Fair"),
        "good": _("Good"),
        "great": _("Great"),
        "excellent": _("Excellent"),
        "comment": _("Anything you would like to add?"),
        "send_rating": _("Send rating"),
        "thanks_rating": _("Thank you for your rating"),
        "transcript": _("E-mail me this conversation"),
        "save_transcript": _("Save this conversation as a file"),
        "transcript_to": _("Send this conversation to"),
        "send_transcript": _("Send by e-mail"),
        "transcript_sent": _("The conversation is on its way to {email}."),
    }


def _line(_: Callable[[str], str]) -> dict[str, str]:
    return {
        "offline": _("You are offline. What you write is kept and sent later."),
        "reconnecting": _("Reconnecting…"),
        "reconnecting_in.one": _("Reconnecting in {n} second"),
        "reconnecting_in.other": _("Reconnecting in {n} seconds"),
        "try_now": _("Try now"),
        "not_done": _("That did not work. Please try again later."),
        "refused": _("Chat is not available on this page."),
        "too_many": _("Too many conversations from your network. Please try again later."),
    }


def form_texts(_: Callable[[str], str]) -> dict[str, str]:
    """The same for the contact form, beside those that it shares with the widget."""
    return {
        "form": _("Write to us"),
        "form_more": _("Tell us what it is about. We answer by e-mail."),
        "too_long": _("This is too long. Please shorten it, or attach it as a file."),
    }
