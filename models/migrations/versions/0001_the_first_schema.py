"""The first schema; its tables stand by subject in `models/migrations/first_schema/`."""

from alembic import op

from models.migrations.first_schema import access, cases, streams, work

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None
SUBJECTS = (streams, cases, work, access)


def upgrade() -> None:
    """Bring the schema forward."""
    for subject in SUBJECTS:
        subject.create()


def downgrade() -> None:
    """Take the schema back; a table takes its indexes with it."""
    for subject in SUBJECTS:
        for name in subject.TABLES:
            op.drop_table(name)
