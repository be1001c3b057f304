"""The console in a real browser, on a real PostgreSQL behind a real Kafka: a night shift."""

import re
import signal

import pytest
import sqlalchemy as sa
from playwright.sync_api import Route, expect

from models import tables as t
from tests.support.commands import waits
from tests.support.shift import LIVE, Shift, holds, press, quiet, row, shift

__all__ = ["quiet", "shift"]


pytestmark = [pytest.mark.kafka, pytest.mark.postgres, pytest.mark.browser]


HIDE = """() => {
  Object.defineProperty(document, 'hidden', {get: () => true});
  Object.defineProperty(document, 'visibilityState', {get: () => 'hidden'});
  document.dispatchEvent(new Event('visibilitychange'));
}"""


def test_a_night_shift_by_keyboard_alone_from_a_record_to_a_closed_case(shift: Shift) -> None:
    page = shift.enters("li")
    expect(page.locator("#list")).to_be_visible()
    vin = shift.alert()
    expect(row(page, vin)).to_contain_text("紧急")
    press(page, "n")
    page.wait_for_url(re.compile("/task/"))
    expect(page.locator(".holder")).to_contain_text("您在处理")
    press(page, "w")
    page.keyboard.type("在护栏外，等拖车")
    press(page, "Escape")
    expect(page.locator(".saved")).to_have_text("已保存")
    for state, label in (
        ("contacted", "已联系客户"),
        ("en_route", "救援在途"),
        ("on_site", "救援到场"),
        ("towing", "拖车中"),
    ):
        press(page, "s")
        expect(page.locator(".bar")).to_contain_text(label)
        assert shift.task(vin)["state"] == state
        expect(page.locator("textarea[name=note]")).to_have_value("在护栏外，等拖车")
    press(page, "d")
    expect(page.locator(".endings button").first).to_be_focused()
    press(page, "Enter")
    expect(page.locator(".timeline")).to_contain_text("已拖走")
    query = sa.select(t.task).where(t.task.c.vin == vin).order_by(t.task.c.opened_at)
    with shift.engine.begin() as connection:
        roadside, dealer = connection.execute(query).mappings().all()
        entries = (
            connection.execute(
                sa.select(t.entry.c.detail).where(
                    t.entry.c.kind == "task_closed", t.entry.c.case_id == roadside["case_id"]
                )
            )
            .scalars()
            .all()
        )
    assert (roadside["disposition"], dealer["queue"]) == ("towed", "dealer")
    assert entries[0]["note"] == "在护栏外，等拖车"
    press(page, "q")
    page.wait_for_url(re.compile("/queue"))
    expect(row(page, vin)).to_have_count(0)


def test_a_key_pressed_twice_is_one_step(shift: Shift) -> None:
    page = shift.enters("li")
    vin = shift.alert()
    expect(row(page, vin)).to_have_count(1)
    page.goto(f"{shift.url}/task/{shift.task(vin)['task_id']}")
    press(page, "c")
    expect(page.locator(".holder")).to_contain_text("您在处理")
    asked: list[str] = []

    def slowly(route: Route) -> None:
        asked.append(route.request.url)
        page.wait_for_timeout(300)
        route.continue_()

    page.route(re.compile("/step/"), slowly)
    press(page, "s")
    press(page, "s")
    expect(page.locator(".bar")).to_contain_text("已联系客户")
    page.wait_for_timeout(500)
    assert len(asked) == 1
    expect(page.locator("#notice")).to_have_count(0)


def test_two_browsers_want_one_case_and_one_gets_it(shift: Shift) -> None:
    vin = shift.alert()
    pages = {login: shift.enters(login) for login in ("li", "chen")}
    for page in pages.values():
        expect(row(page, vin)).to_have_count(1)
        page.route(re.compile("/live$"), lambda route: route.abort())
    urls = {login: f"/task/{shift.task(vin)['task_id']}/row/claim" for login in pages}
    ask = """url => fetch(url, {
               method: 'POST', headers: {'X-CSRF-Token': document.body.dataset.csrf}
             }).then(async answer => [answer.status, await answer.text()])"""
    for login, page in pages.items():
        page.evaluate(f"url => {{ window.asked = ({ask})(url); }}", urls[login])
    answers = {login: page.evaluate("window.asked") for login, page in pages.items()}
    assert sorted(status for status, _ in answers.values()) == [200, 409]
    (winner,) = [login for login, (status, _) in answers.items() if status == 200]
    (loser,) = [login for login, (status, _) in answers.items() if status == 409]
    assert f"名{winner}" in answers[loser][1]
    assert shift.task(vin)["holder_name"] == f"名{winner}"


def test_a_lost_claim_shows_who_has_it_in_the_row_itself(shift: Shift) -> None:
    vin = shift.alert()
    mine, theirs = shift.enters("li"), shift.enters("chen")
    expect(row(mine, vin)).to_have_count(1)
    press(mine, "f")
    row(theirs, vin).locator("button.claim").click()
    expect(row(theirs, vin)).to_contain_text("您")
    row(mine, vin).locator("button.claim").click()
    expect(row(mine, vin)).to_contain_text("名chen 正在处理此案件")


def test_a_frozen_list_stands_still_and_counts_what_is_new(shift: Shift) -> None:
    page = shift.enters("li")
    before = page.locator("tr[data-task]").count()
    press(page, "f")
    vin = shift.alert()
    expect(page.locator(".banner", has_text="新增或变化")).to_be_visible()
    assert page.locator("tr[data-task]").count() == before
    press(page, "f")
    expect(row(page, vin)).to_have_count(1)


def test_a_hidden_tab_still_sounds(shift: Shift) -> None:
    page = shift.enters("li")
    expect(page.locator(".banner", has_text="声音未开启")).to_be_visible()
    page.get_by_text("开始上班，测试声音", exact=True).click()
    expect(page.locator(".banner", has_text="声音未开启")).to_be_hidden()
    page.evaluate(HIDE)
    before = page.evaluate("window.started")
    shift.alert()
    holds(page, "document.body.dataset.sounded.endsWith('urgent')")
    assert page.evaluate("window.started") >= before + 3


def test_a_lost_connection_is_said_and_mended(shift: Shift) -> None:
    context = shift.visitor()
    page = context.new_page()
    page.clock.install()
    page.goto(f"{shift.url}/login")
    page.fill("[name=login]", "li")
    page.fill("[name=password]", shift.passwords["li"])
    press(page, "Enter")
    holds(page, LIVE)
    banner = page.locator(".banner", has_text="连接已断开")
    shift.server.send_signal(signal.SIGSTOP)
    try:
        for _ in range(5):
            page.clock.fast_forward(6_000)
        expect(banner).to_be_visible()
        expect(page.locator("#alarm")).to_have_text("连接已断开")
    finally:
        shift.server.send_signal(signal.SIGCONT)
    page.clock.fast_forward(6_000)
    expect(banner).to_be_hidden()


def test_a_second_tab_stands_still_until_it_is_wanted(shift: Shift) -> None:
    first = shift.enters("li")
    second = first.context.new_page()
    second.goto(f"{shift.url}/queue")
    passive = second.locator(".banner", has_text="另一个标签页")
    expect(passive).to_be_visible()
    passive.locator("button").click()
    expect(passive).to_be_hidden()
    expect(first.locator(".banner", has_text="另一个标签页")).to_be_visible()
    vin = shift.alert()
    expect(row(second, vin)).to_have_count(1)


def test_notes_survive_a_broken_connection_and_a_closed_page(shift: Shift) -> None:
    vin = shift.alert()
    page = shift.enters("li")
    expect(row(page, vin)).to_have_count(1)
    page.goto(f"{shift.url}/task/{shift.task(vin)['task_id']}")
    holds(page, LIVE)
    page.context.set_offline(True)
    page.fill("textarea[name=note]", "车在桥下")
    expect(page.locator(".saved")).to_contain_text("尚未保存")
    page.context.set_offline(False)
    page.reload()
    expect(page.locator("textarea[name=note]")).to_have_value("车在桥下")
    expect(page.locator(".saved")).to_have_text("已保存")
    shift.errors.clear()


def test_keys_are_ignored_while_an_input_method_composes_and_when_switched_off(
    shift: Shift,
) -> None:
    page = shift.enters("li")
    help_ = page.locator("#help")
    page.evaluate(
        "document.dispatchEvent(new KeyboardEvent('keydown', {key: '?', isComposing: true}))"
    )
    expect(help_).to_be_hidden()
    press(page, "?")
    expect(help_).to_be_visible()
    page.get_by_text("关闭单字母快捷键").click()
    holds(page, "document.body.dataset.shortcuts === 'off'")
    press(page, "?")
    expect(help_).to_be_hidden()
    page.get_by_title("快捷键").click()
    page.get_by_text("开启单字母快捷键").click()
    holds(page, "document.body.dataset.shortcuts === 'on'")


def test_a_dealer_books_on_a_phone(shift: Shift) -> None:
    vin = shift.alert("dtc:B1342", severity="limited")
    waits(lambda: bool(shift.task(vin)))
    shift.person("wang", "dealer", shift.task(vin)["desk"])
    page = shift.enters("wang", viewport={"width": 360, "height": 740}, has_touch=True)
    card = page.locator(f"#card-{shift.task(vin)['task_id']}")
    expect(card).to_contain_text("未同意致电")
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    card.get_by_role("button", name="认领并致电").click()
    page.wait_for_url(re.compile("/task/"))
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    page.locator("input[name=slot]").first.check()
    page.get_by_label("上门取车").check()
    page.locator(".book button").click()
    expect(page.locator("main")).to_contain_text("预约：")
    assert (shift.task(vin)["state"], shift.task(vin)["is_pick_up"]) == ("booked", True)


def test_a_supervisor_takes_over_and_the_other_sees_it_at_once(shift: Shift) -> None:
    vin = shift.alert()
    li, zhao = shift.enters("li"), shift.enters("zhao")
    expect(row(li, vin)).to_have_count(1)
    task = f"{shift.url}/task/{shift.task(vin)['task_id']}"
    row(li, vin).locator("a.open").click()
    li.wait_for_url(task)
    press(li, "c")
    expect(li.locator(".holder")).to_contain_text("您在处理")
    li.fill("textarea[name=note]", "说到一半")
    expect(li.locator(".saved")).to_have_text("已保存")
    zhao.goto(task)
    expect(zhao.locator(".holder")).to_contain_text("名li 在处理")
    zhao.get_by_label("接管原因").fill("换班")
    zhao.get_by_role("button", name="接管").click()
    expect(zhao.locator(".holder")).to_contain_text("您在处理")
    expect(li.locator(".holder")).to_contain_text("名zhao 在处理")
    expect(li.locator("main")).to_contain_text("您的备注已保留")
    expect(li.locator("textarea[name=note]")).to_have_value("说到一半")
