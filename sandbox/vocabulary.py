"""Names and texts that documents are made of: Chinese, quotes, escapes, emoji and other 4-byte characters."""

from __future__ import annotations

WAREHOUSES = ("主仓", "杭州一号仓", "华南分仓", "退货仓", 'Bonded "A" 仓')
SUPPLIERS = (
    "供应商",
    "义乌市百货有限公司",
    "深圳电子科技",
    "𠮷野家食品",
    "O'Neill & Söhne",
    "绍兴\\纺织",
    "北京🐼玩具厂",
)
TYPES = ("采购入库", "采购入库", "采购入库", "加工入库", "期初入库")
CREATORS = ("张三", "李四", "王小明", "系统", "欧阳𣗋")
LABELS = ("加急", "样品", "大促🔥", "质检", "a,b")
UNITS = ("件", "个", "箱", "kg", "米", "")
GOODS = (
    "纯棉T恤",
    "保温杯 500ml",
    "蓝牙耳机",
    "儿童积木",
    "羽绒服",
    "数据线 1.5m",
    "洗发水",
    "Kopfhörer",
    "鍵盤",
)
VARIANTS = ("黑色", "白色/L", "红;XL", '5" 屏', "套装\\两件", "限量版🎉", "𠮷祥款", "基础款")

PLAIN_REMARKS = ("", "", "", "急单", "供应商送货", "月结", "补货入库")
ODD_REMARKS = (
    '他说："明天到"，然后\\走了',
    "第一行\n第二行\r\n第三行\t制表",
    "到货😀👍🏽，少一箱👨‍👩‍👧‍👦",
    "𠜎𠜱𠝹𠱓 四字节字符",
    " 前后有空格 ",
    "'; DROP TABLE purchasein_query; --",
    "%s %d {io_id} {{modified}} ${HOME}",
    "a/b\\/c \u2028\u2029 \x7f \x01",
    "null",
    "0013.00",
    "<script>alert('入库')</script>",
    "עברית العربية ไทย",
)


def long_remark(length: int, turn: int) -> str:
    """Exactly that many characters, among them 4-byte ones."""
    piece = ('长备注：请仓库按批次上架，🚚 到货后拍照留存。"务必" 核对数量\\金额；' * 40)[turn % 30 :]
    return piece[:length].ljust(length, "長")
