"""The usual synonyms of the closed vocabularies: English, German and Chinese.

A word whose weight its writers do not agree on (high, major, error) is left out: unknown weighs as
limited at least, is counted, and can be mapped per source.
"""

from collections.abc import Mapping
from typing import Final

from models.words import Lamp, Motion, Severity, Status, Word


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


# What says that there is no word at all.
NOT_SAID: Final = frozenset(
    _words(
        "UNKNOWN UNDEFINED UNSPECIFIED NA NOTAVAILABLE UNAVAILABLE NULL SNA INVALID UNBEKANNT"
        " 未知 不明"
    )
)
# What says, in the place of a severity or a state, that nothing is wrong.
HEALTHY: Final = frozenset(
    _words("OK OKAY HEALTHY NOFAULT NOERROR NOWARNING FAULTFREE IO INORDNUNG 正常 无故障")
)

SYNONYMS: Final[Mapping[str, Mapping[Word, tuple[str, ...]]]] = {
    "severity": {
        Severity.STOP: _words(
            "stop stop_now stop_vehicle stop_the_vehicle stop_immediately stop_safely stop_driving"
            " do_not_drive stopp halt anhalten sofort_anhalten critical kritisch emergency notfall"
            " fatal danger red rot 停车 立即停车 停驶 紧急 危急 危险 致命 红色"
        ),
        Severity.LIMITED: _words(
            "limit limp limp_home limp_mode restricted reduced reduced_power derate derated"
            " degraded medium moderate semicritical semi_critical warning warn caution amber yellow"
            " orange eingeschränkt eingeschraenkt mittel warnung gelb 受限 功能受限 限功率 降功率"
            " 跛行 警告 中 中等 黄色"
        ),
        Severity.SERVICE: _words(
            "maintenance service_due service_soon service_required minor low noncritical"
            " non_critical wartung niedrig gering 保养 维修 需保养 需维修 轻微 低"
        ),
        Severity.INFO: _words(
            "information informational notice note hint advisory hinweis 提示 信息 通知"
        ),
    },
    "status": {
        Status.ACTIVE: _words(
            "activated on set present current confirmed failed fault raised triggered firing open"
            " true 1 aktiv vorhanden 激活 当前 存在 活动 有效 报警 发生 触发"
        ),
        Status.PENDING: _words(
            "unconfirmed maturing suspected unbestätigt 待定 待确认 未确认 挂起"
        ),
        Status.CLEARED: _words(
            "clear resolved inactive not_active off gone healed fixed closed ended removed erased"
            " deleted passed recovered false ok normal not_present no_longer_present inaktiv"
            " gelöscht geloescht behoben 清除 已清除 恢复 已恢复 消除 已消除 解除 已解除"
            " 已解决 正常"
        ),
        Status.LAMP_ONLY: _words("lamp lamp_on mil_only no_code without_code 仅灯亮 仅亮灯"),
    },
    "lamp": {
        Lamp.OFF: _words(
            "none no no_lamp unlit not_lit dark out false 0 inactive ok green aus keine grün gruen"
            " 灭 熄灭 关 关闭 无 不亮 绿 绿色"
        ),
        Lamp.MALFUNCTION: _words(
            "mil on yes lit true 1 active solid steady continuous malfunction_lamp"
            " malfunction_indicator_lamp check_engine"
            " check_engine_light cel engine an ein motorkontrollleuchte mkl 亮 点亮 开"
            " 故障灯 发动机故障灯"
        ),
        Lamp.AMBER: _words(
            "yellow orange warning warn warning_lamp amber_warning_lamp awl"
            " gelb orangefarben 黄 黄灯 黄色 橙 橙色"
        ),
        Lamp.FLASHING: _words(
            "flash flashes mil_flashing blinking blink blinks blinkt blinkend 闪烁 闪 闪亮"
        ),
        Lamp.RED: _words(
            "stop stop_lamp red_lamp red_stop red_stop_lamp rsl critical rot rote 红 红灯 红色"
        ),
    },
    "motion": {
        Motion.PARKED: _words(
            "park parking stopped standing standstill stand_still stationary still at_rest halted"
            " not_moving not_in_motion false 0 geparkt parkt steht stillstand stehend 停车 停驶"
            " 静止 驻车 停止 停放"
        ),
        Motion.MOVING: _words(
            "drive driving in_motion motion move rolling under_way underway travelling"
            " traveling true 1 fährt faehrt fahrt in_fahrt fahrend 行驶 行驶中 行车 行车中"
            " 移动 移动中 运动"
        ),
    },
}

# What a boolean, or 0 and 1, means; of a status only the boolean, since senders number them.
TRUTHS: Final[Mapping[str, Mapping[bool, Word]]] = {
    "status": {True: Status.ACTIVE, False: Status.CLEARED},
    "lamp": {True: Lamp.MALFUNCTION, False: Lamp.OFF},
    "motion": {True: Motion.MOVING, False: Motion.PARKED},
}
