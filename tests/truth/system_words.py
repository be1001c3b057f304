"""Which system a fault concerns, by the words of its description: what the ranges are held against.

The first line whose words occur decides: what is special stands above what is general.
"""

import re
from typing import Final

from models.words import System

# Ours: the system that a person would name who reads these words, and knows cars.
WORDS: Final[tuple[tuple[System, str], ...]] = (
    (System.NETWORK, r"gateway|emissions critical control information|personal computer"),
    (System.RESTRAINT, r"seat belt|airbag|deployment|restraint|pretension|occupant|impact class"),
    (System.RESTRAINT, r"curtain|side impact|roll ?over|knee bolster|event data|belt minder"),
    (System.TYRES, r"\btire\b(?! diam)|\btyre\b"),
    (System.DRIVER_ASSISTANCE, r"cruise|lane|distance range|image processing|camera|radar|lidar"),
    (System.DRIVER_ASSISTANCE, r"side obstacle|parking assist|collision|night vision|automated"),
    (System.DRIVER_ASSISTANCE, r"object detection|driver monitoring|localization|v2x|sensor clean"),
    (System.DRIVER_ASSISTANCE, r"trailer backup|a/v sensor|safety integration|pedestrian"),
    (System.DRIVER_ASSISTANCE, r"adas|fluid reservoir level"),
    (System.INFOTAINMENT, r"radio|audio|entertain|television|navigation|telephone|telemat|antenna"),
    (System.INFOTAINMENT, r"speech|display|digital disc|positioning|haptic|compass|transceiver"),
    (System.INFOTAINMENT, r"wireless accessory|subscription|remote accessory|tachograph|audible"),
    (System.LIGHTING, r"headlamp|lighting|brake lamp|fog lamp|tail lamp|turn signal"),
    (System.CHARGING, r"(?<!turbo)(?<!super)charger|charging (system|switch|ventil|inlet)"),
    (System.CHARGING, r"charge (port|mode|status)"),
    (System.CHARGING, r"proximity detection|control pilot|inductive charging|charging start"),
    (System.CHARGING, r"charge (sequence|completion|protocol|inlet|cable)|vehicle to (grid|home)"),
    (System.CHARGING, r"ac/dc|off-board"),
    (
        System.HIGH_VOLTAGE,
        r"interlock|high voltage fuse|high voltage power outlet|isolation (fault|sensor)",
    ),
    (System.LOW_VOLTAGE, r"dc/dc|14 volt|12 ?v battery|battery monitor|control module input power"),
    (System.LOW_VOLTAGE, r"battery isolation/voltage|auxiliary battery|ultracap|48v|24 volt"),
    (
        System.COOLING,
        r"(motor electronics|hybrid/ev electronics|inverter \w) cool|drive motor \w cool",
    ),
    (
        System.CLIMATE,
        r"a/c|air conditioning|hvac|refrigerant|evaporator|cabin|blower|windshield temp",
    ),
    (System.CLIMATE, r"mode actuator|temperature actuator|air intake actuator|ram air|air cutoff"),
    (System.CLIMATE, r"aux(iliary)? heater"),
    (System.HIGH_VOLTAGE, r"hybrid/ev battery|hybrid battery|battery (energy|management) control"),
    (
        System.HIGH_VOLTAGE,
        r"dc/ac|ac/ac|battery pack|battery [a-z] state|vehicle thermal management",
    ),
    (
        System.HIGH_VOLTAGE,
        r"cell balanc|high voltage (service|system)|hybrid/ev (system|discharge)|discharge system",
    ),
    (
        System.PROPULSION,
        r"drive motor|motor torque|generator (\w )?(inverter|phase|posit|temp|torq|curr|over)",
    ),
    (
        System.PROPULSION,
        r"starter ?/ ?generator|hybrid generator|hybrid/ev powertrain|motor electronics",
    ),
    (System.LOW_VOLTAGE, r"generator|alternator|^battery|^system voltage|battery voltage"),
    (System.STEERING, r"steering"),
    (System.TYRES, r"tire diam"),
    (System.BRAKING, r"brake(?! switch b/torque)|\babs\b|traction|stability|yaw|wheel speed|tcs\b"),
    (System.BRAKING, r"(lateral|longitudinal|multi-axis) accel|tone wheel|hydraulic release"),
    (
        System.BRAKING,
        r"(inlet|outlet) control|vehicle dynamics|vacuum (sensor|pump)|vehicle motion",
    ),
    (System.BRAKING, r"chassis control|speed wheel"),
    (
        System.SUSPENSION,
        r"suspension|ride level|active roll|damper|air spring|ride height|all terrain",
    ),
    (
        System.PROPULSION,
        r"four.wheel|4wd|awd|all wheel drive|transfer case|drive ?line|differential",
    ),
    (System.PROPULSION, r"park lock|park/neutral|gear|transmission|tcm|clutch|shift|torque conv"),
    (System.PROPULSION, r"pressure control solenoid|shaft speed|planetary|transaxle|park pawl"),
    (System.PROPULSION, r"(intake|exhaust) (valve|cam)|deactivation"),
    (System.EMISSIONS, r"egr\b|exhaust gas recirc|evap|catalyst|reductant|nox|particul|pm sensor"),
    (
        System.EMISSIONS,
        r"exhaust|\bo2\b|ho2s|oxygen|air system|secondary air|adsorb|aftertreat|nh3",
    ),
    (System.EMISSIONS, r"ozone|crankcase vent|purge|regeneration|emission|air-fuel ratio sensor"),
    (System.EMISSIONS, r"anti tamper|monitor not|readiness|vapor"),
    (System.PROPULSION, r"hydraulic"),
    (
        System.LUBRICATION,
        r"engine oil|oil (pressure|level|temp|pump|quality|life|dilut|cooler)|oil deg",
    ),
    (System.LUBRICATION, r"piston cooling oil|crankcase pressure"),
    (System.PROPULSION, r"charge air|turbo|supercharger|boost|intercool|wastegate|humidity"),
    (System.COOLING, r"coolant|radiator|thermostat|cooling|\bfan\b|grille (air )?shut|engine over"),
    (System.COOLING, r"cylinder head temp|air dam"),
    (System.PROPULSION, r"fuel|inject|ignition coil|misfire|knock|throttle|cam|crank|valve|intake"),
    (
        System.PROPULSION,
        r"air flow|manifold|accelerator|pedal|glow|cylinder|idle|engine|rpm|mixture",
    ),
    (System.PROPULSION, r"torque|vehicle speed|ecm|pcm|powertrain|timing|spark|starter|ignition"),
    (
        System.PROPULSION,
        r"pto|power take|rocker|lean|rich|air temp|barometric|combust|hydrogen|stack",
    ),
    (System.PROPULSION, r"anode|cathode|fuel cell|sensor reference|high speed can|actuator supply"),
    (
        System.PROPULSION,
        r"ion (current|sense)|reverse|neutral|speed sensor|neutral|ambient|transponder",
    ),
    (System.PROPULSION, r"(communication|vehicle) (bus|comm)|serial communication|active vibr"),
    (
        System.BODY,
        r"aerodyn|hood|door|seat|window|mirror|roof|lock|immobil|secur|body|wiper|washer|rain|convenien",
    ),
    (
        System.BODY,
        r"entrap|running board|instrument panel|information cent|trailer|remote|rear gate",
    ),
    (System.BODY, r"switch input|front controls|sunroof|theft|folding|key|head up|horn|accessory"),
)
# Words that nobody can place: the letter of the code decides.
_BY_LETTER: Final = {
    "P": System.PROPULSION,
    "C": System.BRAKING,
    "B": System.BODY,
    "U": System.NETWORK,
}


def system_by_words(code: str, description: str) -> System:
    """Return the system that a description speaks of; its letter's where no word is known."""
    lowered = description.lower()
    named = (system for system, words in WORDS if re.search(words, lowered))
    return next(named, _BY_LETTER[code[0]])
