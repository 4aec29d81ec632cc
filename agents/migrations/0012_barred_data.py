from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('agents', '0011_replay'),
    ]

    operations = [
        migrations.AddField(
            model_name='modelbackend',
            name='barred',
            field=models.JSONField(blank=True, db_default=[], default=list),
        ),
    ]
